/** After everything has healed: is the target the source, and is the checkpoint what it should be? */
import { readCheckpoint } from '../../engine/apply/checkpoint.ts';
import { compareInstances } from '../../engine/compare/compare.ts';
import { scanKeys } from '../../engine/apply/target-contents.ts';
import { Connection } from '../../engine/connect/connection.ts';
import { DEFAULT_ENGINE_OPTIONS, OWN_KEY_PREFIX } from '../../engine/link/options.ts';
import { verifyLedger, type LedgerVerdict } from '../../scenarios/workload/ledger-check.ts';
import { LINK } from './engine-life.ts';
import type { Field } from './field.ts';
import type { History } from './history.ts';

export interface Damage {
  /** On the target, above what the source itself has. */
  lost: number;
  duplicated: number;
  reordered: number;
  unexpected: number;
  /** Keys that differ, by class. */
  differences: Record<string, number>;
  /** Over all comparisons. */
  keysCompared: number;
  /** Ledgered writes that may be there: read one by one. */
  ledgered: number;
}

/**
 * Compares all data, reads the ledger on both sides, looks at the checkpoint. What is wrong becomes a problem. Nobody may
 * write meanwhile, and everything must be applied.
 */
export async function judge(field: Field, history: History): Promise<Damage> {
  await using onTarget = await Connection.open(field.target.endpoint, { name: 'torture-judge' });
  await checkCheckpoint(field, onTarget, history);
  await checkOwnKeys(onTarget, history);
  const comparison = await compareInstances({
    sources: [field.source.endpoint],
    targets: [field.target.endpoint],
    ignorePrefixes: [DEFAULT_ENGINE_OPTIONS.heartbeatPrefix],
    // The source's snapshots are slow on purpose.
    method: 'commands',
    maxDifferences: 200,
  });
  for (const each of comparison.differences) history.note('difference', { ...each });
  const unverified = Object.entries(comparison.unverified);
  if (unverified.length > 0) history.problem(`not everything could be compared: ${unverified.join(', ')}`);
  const differing = Object.entries(comparison.totals).filter(([, count]) => count > 0);
  if (differing.length > 0)
    history.problem(`keys differ: ${differing.map((pair) => pair.join(' ')).join(', ')}`);
  await using onSource = await Connection.open(field.source.endpoint, { name: 'torture-judge' });
  const source = await verifyLedger(onSource, field.ledger);
  if (damageIn(source) > 0)
    history.problem('the source itself does not have what it acknowledged', { ...source });
  const target = await verifyLedger(onTarget, field.ledger);
  if (damageIn(target) > damageIn(source))
    history.problem('the ledger does not fit the target', { ...target });
  const { ok, unknown } = field.ledger.counts();
  return {
    lost: target.lost - source.lost,
    duplicated: target.duplicated - source.duplicated,
    reordered: target.reordered - source.reordered,
    unexpected: target.unexpected - source.unexpected,
    differences: Object.fromEntries(differing),
    keysCompared: comparison.keysCompared,
    ledgered: ok + unknown,
  };
}

/** Damage found at different times, in all. */
export function addDamage(one: Damage, other: Damage): Damage {
  const differences = { ...one.differences };
  for (const [name, count] of Object.entries(other.differences))
    differences[name] = (differences[name] ?? 0) + count;
  return {
    lost: one.lost + other.lost,
    duplicated: one.duplicated + other.duplicated,
    reordered: one.reordered + other.reordered,
    unexpected: one.unexpected + other.unexpected,
    differences,
    keysCompared: one.keysCompared + other.keysCompared,
    ledgered: other.ledgered,
  };
}

export const NO_DAMAGE: Damage = {
  lost: 0,
  duplicated: 0,
  reordered: 0,
  unexpected: 0,
  differences: {},
  keysCompared: 0,
  ledgered: 0,
};

function damageIn(verdict: LedgerVerdict): number {
  return verdict.lost + verdict.duplicated + verdict.reordered + verdict.unexpected;
}

/** In the source's history, not beyond its end, in a database there is. */
async function checkCheckpoint(field: Field, onTarget: Connection, history: History): Promise<void> {
  const source = await field.sourcePosition();
  const checkpoint = await readCheckpoint(onTarget, LINK);
  const fits =
    checkpoint !== null &&
    checkpoint.replid === source.replid &&
    checkpoint.offset <= source.offset &&
    checkpoint.database < 16 &&
    checkpoint.path !== '';
  if (!fits) history.problem('the checkpoint does not fit the source', { checkpoint, source });
}

/** The link's own keys are there, in database 0, and nothing that a killed engine was in the middle of. */
async function checkOwnKeys(onTarget: Connection, history: History): Promise<void> {
  const found = new Set<string>();
  for await (const { database, keys } of scanKeys(onTarget, `${OWN_KEY_PREFIX}*`))
    for (const key of keys) found.add(`${database} ${key.toString()}`);
  const wanted = ['fence', 'link', 'owner'].map((kind) => `0 ${OWN_KEY_PREFIX}${kind}:${LINK}`);
  const left = [...found].filter((key) => !wanted.includes(key));
  if (left.length > 0) history.problem(`keys of the engine were left on the target: ${left.join(', ')}`);
}
