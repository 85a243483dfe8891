/**
 * Whether a module's value may be sent to a target at all. Servers before 7.0 do not refuse a value of a module they have
 * not loaded: they exit ("The RDB file contains module data I can't load", rdbLoadObject in src/rdb.c of 6.0). So there it
 * is sent only when the module is known to be loaded.
 */
import { moduleName } from '../../rdb/format.ts';
import { lengthEnd, readLength64 } from '../../rdb/length.ts';
import { isSince, type TargetFacts } from '../target-facts.ts';

/** The names modules are loaded under, by the names of their types. */
const MODULE_OF_TYPE: Readonly<Record<string, readonly string[]>> = {
  'ReJSON-RL': ['rejson', 'json'],
  'MBbloom--': ['bf'],
  MBbloomCF: ['bf'],
  'CMSk-TYPE': ['bf'],
  'TopK-TYPE': ['bf'],
  'TDIS-TYPE': ['bf'],
  'TSDB-TYPE': ['timeseries'],
  graphdata: ['graph'],
  vectorset: ['vectorset'],
};

/** @param value the bytes of a value of type MODULE_2. */
export function mayRestoreModule(value: Buffer, facts: TargetFacts): boolean {
  if (facts.version !== undefined && isSince(facts, { redis: '7.0', valkey: '7.2' })) return true;
  if (lengthEnd(value, 0, value.length) < 0) return false;
  const names = MODULE_OF_TYPE[moduleName(readLength64(value, 0))] ?? [];
  return names.some((name) => facts.modules.has(name));
}
