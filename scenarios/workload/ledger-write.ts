/** Builds one ledgered write: RPUSH, SADD, XADD of a unique number, or INCR. */
import type { Ledger, LaneKind } from './ledger.ts';
import { LANE_KINDS } from './ledger.ts';
import type { OperationContext } from './operation.ts';
import type { Outcome } from './tally.ts';

/** Emits the command; returns what must be told its outcome. */
export function writeLedgerEntry(
  ledger: Ledger,
  context: OperationContext,
  prefix: string,
): (outcome: Outcome) => void {
  const kind = context.random.pick(LANE_KINDS);
  const lane = ledger.lane(kind, context.database, `${prefix}ledger:${kind}:${context.client}`);
  const number = lane.next();
  context.emit(...wordsOf(kind, lane.key, number));
  return (outcome) => lane.settle(number, outcome);
}

function wordsOf(kind: LaneKind, key: string, number: number): (string | number)[] {
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
