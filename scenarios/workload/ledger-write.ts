/** Builds one ledgered write: RPUSH, SADD, XADD of a unique number, INCR, or a transaction that turns a ring. */
import type { Ledger, LaneKind } from './ledger.ts';
import { ringKeys } from './ledger.ts';
import type { OperationContext } from './operation.ts';
import type { Outcome } from './tally.ts';

/** Emits the command; returns what must be told its outcome. */
export function writeLedgerEntry(
  ledger: Ledger,
  context: OperationContext & { ownName(name: string): string },
  prefix: string,
  origin?: string,
): (outcome: Outcome) => void {
  const kind = context.random.pick(ledger.kinds);
  // With the database in its name, a key that turns up in another one is known as such.
  const name = `${prefix}ledger:${ledger.token}:${kind}:${context.client}.${context.database}`;
  const key = context.ownName(name);
  const lane = ledger.lane(kind, context.database, key, origin);
  const number = lane.next();
  if (kind === 'ring') emitRing(context, lane.key, number);
  else context.emit(...wordsOf(kind, lane.key, number));
  return (outcome) => lane.settle(number, outcome);
}

function emitRing(context: OperationContext, lane: string, number: number): void {
  context.emit('MULTI');
  for (const key of ringKeys(lane)) context.emit('SET', key, number);
  context.emit('EXEC');
}

function wordsOf(kind: Exclude<LaneKind, 'ring'>, key: string, number: number): (string | number)[] {
  switch (kind) {
    case 'list':
      return ['RPUSH', key, number];
    case 'set':
      return ['SADD', key, number];
    case 'stream':
      return ['XADD', key, '*', 'n', number];
    case 'counter':
      return ['INCR', key];
    default:
      return kind satisfies never;
  }
}
