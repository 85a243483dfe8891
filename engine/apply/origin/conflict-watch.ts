/** What a link of a circle tells of the stream that it reads, so that writes of several sides to one key are seen. */
import type { CommandFrame } from '../../resp/command-framer.ts';
import type { OriginMark } from './origin-filter.ts';

/** Encoded commands of our own, to be applied with what is read. */
export interface OwnCommands {
  bytes: Buffer;
  count: number;
}

/** Where an applied command comes from, and whether the link brings it on. */
export interface Arrival {
  /** The instance that it was written to. */
  origin: string;
  goesOn: boolean;
}

export interface ConflictWatch {
  /** The stream begins here, or anew. */
  begins(offset: bigint): void;
  /** What comes next arrived then, by our wall clock. */
  arrived(atMs: number): void;
  /** The stream was read up to here. */
  heard(offset: bigint): void;
  /** A heartbeat of ours, written then, came back. */
  heartbeat(sentAtMs: number): void;
  /** A client's write, ending at this offset; what is to be kept on the target (database 0) because of it. */
  wrote(frame: CommandFrame, database: number, offset: bigint): OwnCommands | undefined;
  /** What links have applied up to here, as it stands at this offset of the stream. */
  marked(mark: OriginMark, at: bigint): void;
  /** A command that another link has applied to the source. */
  applied(frame: CommandFrame, database: number, offset: bigint, arrival: Arrival): OwnCommands | undefined;
  /** The target refused an encoded command: true when that is to be expected, and will be put right. */
  refused(database: number, command: Buffer): boolean;
  /** A command on a key of our own: a value to be copied at this place, as commands for the selected database. */
  copied(frame: CommandFrame, database: number, offset: bigint): Buffer | undefined;
}
