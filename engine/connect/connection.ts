/** Seam; implementation follows. */
import type { Reply } from '../resp/reply.ts';
import type { Endpoint } from './endpoint.ts';

export type Argument = string | number | bigint | Buffer;

export interface ConnectOptions {
  /** CLIENT SETNAME, so that an operator sees who we are. Best effort. */
  name?: string;
  /** Limit for dial + TLS + AUTH. Default 5000. */
  connectTimeoutMs?: number;
  /** Limit for a single reply; the connection is destroyed when it passes. Default 60000; 0 = none. */
  replyTimeoutMs?: number;
  signal?: AbortSignal;
}

/**
 * One pipelined RESP2 connection. Commands are answered in order. Never reconnects and never resends: whoever owns it
 * decides what an unknown outcome means. An error reply is returned as a ReplyError by `pipeline` and thrown by `call`.
 */
export declare class Connection implements AsyncDisposable {
  static open(endpoint: Endpoint, options?: ConnectOptions): Promise<Connection>;
  readonly endpoint: Endpoint;
  readonly closed: boolean;
  /** One command. Throws SyncError (PERMISSION, AUTH, PROTOCOL …) worded with the server's text on an error reply. */
  call(...args: Argument[]): Promise<Reply>;
  /** One command; an error reply is returned, not thrown. */
  tryCall(...args: Argument[]): Promise<Reply>;
  /** Many commands in one write; the replies in order, errors as ReplyError elements. */
  pipeline(commands: readonly (readonly Argument[])[]): Promise<Reply[]>;
  /** Already encoded commands, `count` replies awaited. */
  pipelineRaw(bytes: Buffer, count: number): Promise<Reply[]>;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}
