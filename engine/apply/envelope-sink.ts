/**
 * Where translated stream commands go: the envelopes of one server, or the rounds of a cluster. What the stream's translator
 * needs of either.
 */
export interface EnvelopeSink {
  /** Every command comes on its own, right when it was framed, so that its offset and its keys are known. */
  readonly separate?: boolean;
  /** Appends `count` already encoded commands for `database`. */
  append(source: Buffer, start: number, end: number, count: number, database: number): void;
  /** Where what is appended from now on has been (origin/origin-path.ts); for links of a circle. */
  setPath?(path: string): void;
  addHeartbeat(sentAtMs: number): void;
  /** The command appended last hits whole databases. */
  addSweeping(name: string): void;
  /** The command appended last runs a script by a SHA1 that only the target can resolve. */
  addScript(sha: string): void;
  /** A transaction of the source is complete. */
  addTransaction(): void;
  /** The checkpoint may be gone after the command appended last; first remove copies of it with these commands. */
  repeatCheckpoint(removeFirst: Buffer[]): void;
  readonly repeatsCheckpoint: boolean;
  /** Everything appended so far is complete up to this stream offset. */
  mark(offset: bigint, streamDatabase: number): void;
}
