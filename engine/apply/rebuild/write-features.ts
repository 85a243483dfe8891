/** What of a value the target can represent, looked up once per link. */
import { hasCommand, isSince, type TargetFacts } from '../target-facts.ts';

export interface WriteFeatures {
  /** `SET … PXAT`. */
  setWithDeadline: boolean;
  /** HPEXPIREAT. */
  fieldTtl: boolean;
  streams: boolean;
  /** `XGROUP CREATECONSUMER`. */
  createConsumer: boolean;
  /** `XGROUP … ENTRIESREAD`, `XSETID … ENTRIESADDED`. */
  streamCounters: boolean;
}

export function writeFeatures(facts: TargetFacts): WriteFeatures {
  return {
    setWithDeadline: isSince(facts, { redis: '6.2', valkey: '7.2' }),
    fieldTtl: hasCommand(facts, 'HPEXPIREAT', { redis: '7.4', valkey: '9.0' }),
    streams: hasCommand(facts, 'XADD', { redis: '5.0', valkey: '7.2' }),
    createConsumer: isSince(facts, { redis: '6.2', valkey: '7.2' }),
    streamCounters: isSince(facts, { redis: '7.0', valkey: '7.2' }),
  };
}
