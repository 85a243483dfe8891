/**
 * Whether a module's value may be sent to a target at all. Servers before 7.0 do not refuse a value of a module they have
 * not loaded: they exit ("The RDB file contains module data I can't load", rdbLoadObject in src/rdb.c of 6.0). Later ones
 * answer an error, and keep what the key had before. So it is sent only where the module is loaded, as far as that is known.
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
  if (lengthEnd(value, 0, value.length) < 0) return false;
  const { modules, version } = facts;
  const refuses = version !== undefined && isSince(facts, { redis: '7.0', valkey: '7.2' });
  const names = MODULE_OF_TYPE[moduleName(readLength64(value, 0))];
  if (modules === undefined) return refuses;
  if (names !== undefined) return names.some((name) => modules.has(name));
  // A module nobody here has heard of: with any module at all the target may have it.
  return refuses && modules.size > 0;
}
