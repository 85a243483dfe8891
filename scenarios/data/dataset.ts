/** What is in the source before the first link starts. The core form of one `data:` item of a spec. */

export const DATA_TYPES = [
  'string',
  'hash',
  'list',
  'set',
  'zset',
  'stream',
  'hyperloglog',
  'bitmap',
  'geo',
] as const;
export type DataType = (typeof DATA_TYPES)[number];

export interface DatasetPlan {
  /** Instance names. */
  into: string[];
  database: number;
  keys: number;
  /** Relative weights; need not sum to 100. */
  types: Partial<Record<DataType, number>>;
  /** Every key begins with it. */
  prefix: string;
  ttl: { share: number; betweenMs: [number, number] };
  /**
   * Size of a string value, bytes: log-normal around `median` so that 99 % are below `p99`. An element of a collection
   * is smaller: a quarter of the median, a sixteenth of the p99.
   */
  values: { median: number; p99: number };
  /** Elements per collection, log-normal alike. The p99 tail crosses the small/large encoding thresholds. */
  elements: { median: number; p99: number };
  /** Add the fixed set of awkward keys and values (binary, empty, CRLF, inf, -0, 17 digits, every encoding). */
  corners: boolean;
}
