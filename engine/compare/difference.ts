/**
 * What a comparison of two instances says. Plain JSON, engine-side twin of the report's shapes: a key found different,
 * the rows of the two tables, and the whole result.
 */

/** One key can have several (a value and an expiry difference). */
export const DIFFERENCE_CLASSES = [
  'MISSING_KEY',
  'EXTRA_KEY',
  'TYPE_MISMATCH',
  'VALUE_MISMATCH',
  'TTL_MISMATCH',
] as const;
export type DifferenceClass = (typeof DIFFERENCE_CLASSES)[number];

/** One side of a difference. */
export interface DifferenceSide {
  type: string;
  /** Elements, entries of a stream, or bytes of a string. */
  length: number;
  /** Absolute expiry in ms since the epoch; null = none. */
  expireAtMs: number | null;
  /** What redis-cli would print, bounded. */
  text: string;
  /** `host:port` it was read from. */
  node: string;
}

export interface Difference {
  class: DifferenceClass;
  database: number;
  /** The key as redis-cli prints it, quoted and escaped. */
  key: string;
  keyBase64: string;
  /** null when the key is not there. */
  source: DifferenceSide | null;
  target: DifferenceSide | null;
  /** First differing element or property in words: `field "f": "1" ≠ "2"`. */
  detail: string;
}

/** Keys of one database on both sides, from INFO keyspace before anything was scanned, without the ignored keys. */
export interface CountRow {
  database: number;
  sourceKeys: number;
  targetKeys: number;
  sourceExpires: number;
  targetExpires: number;
}

export interface TypeRow {
  database: number;
  type: string;
  compared: number;
  equal: number;
  different: number;
}

export type CompareMethod = 'snapshot' | 'commands';

export interface ComparisonResult {
  method: CompareMethod;
  /** Why `auto` took commands and not snapshots. */
  methodReason?: string;
  /** Reads of the suspects, the first pass over all keys included: 1 when nothing had to be read again. */
  rounds: number;
  /** Distinct keys whose type, value and expiry were compared. */
  keysCompared: number;
  /** Bytes of serialized values read from the source and compared. */
  bytesCompared: number;
  durationMs: number;
  /** Of the pass over all keys, without counts and re-reads. */
  passMs: number;
  counts: CountRow[];
  types: TypeRow[];
  /** By class over all differences, also those not listed. */
  totals: Record<DifferenceClass, number>;
  /** At most `maxDifferences`, in the order they were found. */
  differences: Difference[];
  /** Keys that could not be compared, by reason. Any > 0 forbids a pass. */
  unverified: Record<string, number>;
  /** Keys that differed at first and were equal, or gone on both sides, in a later round. */
  transient: number;
  /** Keys left out because they expired, or were about to (within the tolerance), while they were read. */
  expiredInFlight: number;
  /** Differences counted from their first read only, because more were found than are kept for reading again. */
  notRechecked: number;
  /** Keys left out by prefix. */
  ignored: { source: number; target: number };
  /** Facts that do not decide but that a person should know (clock skew, eviction while comparing, no NO-TOUCH). */
  warnings: string[];
  /** Largest difference of the clocks of a source and a target node, ms. */
  clockSkewMs: number;
  memory: {
    /** Of the table of keys. */
    tableBytes: number;
    peakRssBytes: number;
  };
}
