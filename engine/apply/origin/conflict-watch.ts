/** What the direction of a pair that reads a stream tells of it, so that writes of both sides to one key are seen. */
import type { CommandFrame } from '../../resp/command-framer.ts';
import type { OriginMark } from './origin-filter.ts';

/** Encoded commands of our own, to be applied with what is read. */
export interface OwnCommands {
  bytes: Buffer;
  count: number;
}

export interface ConflictWatch {
  /** The stream begins here, or anew. */
  begins(offset: bigint): void;
  /** What comes next arrived then, by our wall clock. */
  arrived(atMs: number): void;
  /** A heartbeat of ours, written then, came back. */
  heartbeat(sentAtMs: number): void;
  /** A client's write, ending at this offset; what is to be kept on the target (database 0) because of it. */
  wrote(frame: CommandFrame, database: number, offset: bigint): OwnCommands | undefined;
  /** What links have applied up to here. */
  marked(mark: OriginMark): void;
  /** A command that the other direction has applied to the source. */
  applied(frame: CommandFrame, database: number): OwnCommands | undefined;
  /** The target refused an encoded command: true when that is to be expected, and will be put right. */
  refused(database: number, command: Buffer): boolean;
  /** A command on a key of our own: a value to be copied at this place, as RESTORE or DEL for the selected database. */
  copied(frame: CommandFrame, database: number, offset: bigint): Buffer | undefined;
}
