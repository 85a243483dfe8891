/**
 * The seam between the open loop and the commands it sends: one file per command family, each a list of operations.
 *
 * An operation builds one or a few commands that are sent together on one connection. It must not depend on what other
 * operations left behind (it creates what it needs first), must not get an error reply on a healthy server, must keep the
 * type of a tag's keys, and must bound what it makes grow. It sees only keys of its own client, so no other client can
 * come in between. Nothing is drawn from anywhere but `random`.
 */
import type { Argument } from '../../engine/resp/encode.ts';
import type { Random } from '../data/random.ts';

export interface OperationContext {
  readonly random: Random;
  /** Wall time when the command is built, ms since the epoch: for absolute expiries. */
  readonly nowMs: number;
  /** The selected database. */
  readonly database: number;
  /** Databases of the plan other than the selected one. */
  readonly otherDatabases: readonly number[];
  /** Number of this client among all of the workload: for names that must not be shared. */
  readonly client: number;
  /** Adds a command; its name comes first, in capitals. */
  emit(...words: Argument[]): void;
  /** A key of this client in the selected database. All keys of one tag have one type. */
  key(tag: Tag): string;
  /** `count` such keys, distinct as far as the keyspace allows. */
  keys(tag: Tag, count: number): string[];
  /** A short value: text, a number, or any bytes. */
  value(): Argument;
  /** An integer that no other call of this client returned, ascending. */
  serial(): number;
  /** A stream id larger than any other this client made, in this run or in an earlier one. */
  streamId(): string;
  /** Whether `remember(key, fact)` was called since the connection was opened. Everything is forgotten when anything fails. */
  knows(key: string, fact: string): boolean;
  remember(key: string, fact: string): void;
  /** To be called by whatever deletes or replaces `key` of the selected database. */
  forgetKey(key: string): void;
  /** DUMP payloads that the server itself made. */
  readonly payloads: DumpPayloads;
}

export interface DumpPayloads {
  readonly string: Buffer;
  readonly hash: Buffer;
}

export interface Operation {
  /** First word of the command it is about, lower case: what a mix can name. */
  readonly command: string;
  /** Tells operations of one command apart: `nx`. */
  readonly variant?: string;
  /** Other commands it issues, lower case. It is left out on servers that lack one. */
  readonly uses?: readonly string[];
  /** First version whose syntax it uses, when that is later than the command itself. */
  readonly since?: string;
  /** How many databases the plan must have. Default 1. */
  readonly databases?: number;
  /** Share among the operations of its command or family. Default 1. */
  readonly weight?: number;
  build(context: OperationContext): void;
}

export interface Family {
  readonly name: string;
  readonly summary: string;
  /** Its keys really expire during a run of a few seconds. Every other family uses TTLs of at least an hour. */
  readonly expiring?: true;
  /** Commands to be sent on every new connection before operations of this family. Not counted. */
  readonly prepare?: readonly (readonly Argument[])[];
  readonly operations: readonly Operation[];
}

/** Kinds of keys, each of one Redis type. */
export const TAGS = [
  'string', 'counter', 'float', 'bits', 'hash', 'list', 'numbers', 'sorted', 'set', 'zset', 'scores', 'stream', 'log',
  'hll', 'geo', 'key', 'renamed', 'copied', 'moved', 'restored', 'volatile', 'volatile-hash', 'volatile-list',
] as const; // prettier-ignore
export type Tag = (typeof TAGS)[number];

/** `set nx`: how an operation is called in results. */
export function operationName(operation: Operation): string {
  return operation.variant === undefined ? operation.command : `${operation.command} ${operation.variant}`;
}
