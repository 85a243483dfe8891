/**
 * What a network does to bytes, in the words of toxiproxy where it has one. A toxic sits on a gate and works on every
 * connection through it, old and new, until it is taken away. Plain JSON: it crosses IPC.
 *
 *   upstream     from the engine to the server
 *   downstream   from the server to the engine
 */
export type Stream = 'upstream' | 'downstream';

export type ToxicKind =
  /** Every byte comes `latencyMs` later, give or take `jitterMs`; order stays. */
  | { kind: 'latency'; latencyMs: number; jitterMs: number }
  /** No more than that many bytes a second on one connection. */
  | { kind: 'bandwidth'; bytesPerSecond: number }
  /** Bytes come in pieces of about `bytes`, `delayMs` apart: what a parser must survive. */
  | { kind: 'slicer'; bytes: number; delayMs: number }
  /** Nothing passes; after `timeoutMs` the connection is closed. */
  | { kind: 'timeout'; timeoutMs: number }
  /** The connection is reset (RST) on both sides after `timeoutMs`. */
  | { kind: 'reset-peer'; timeoutMs: number }
  /** The end of a connection comes `delayMs` late. */
  | { kind: 'slow-close'; delayMs: number }
  /** Exactly that many more bytes pass on a connection, then it breaks; a new one gets as many again. */
  | { kind: 'limit-data'; bytes: number }
  /** Nothing passes, both sockets stay open: one side of the link is dead. */
  | { kind: 'half-open' }
  /** Nothing passes, and nobody answers new connections. */
  | { kind: 'blackhole' }
  /** One bit of the byte after `afterBytes` more is inverted, once on each connection, `times` in all. */
  | { kind: 'corrupt'; afterBytes: number; times: number }
  /**
   * `bytes` after `afterBytes` more vanish, once in all, from the connection that has carried most, which goes on as if
   * nothing had been: what TCP never does.
   */
  | { kind: 'lose-bytes'; afterBytes: number; bytes: number };

export type Toxic = ToxicKind & {
  /** Unique on its gate. */
  name: string;
  streams: readonly Stream[];
};

/** What a toxic has done so far: the evidence that it bit. */
export interface ToxicEffect {
  /** Bytes it delayed, cut or changed. */
  bytes: number;
  /** Bytes that were never delivered. */
  droppedBytes: number;
  /** Connections it worked on. */
  connections: number;
  /** Connections it ended. */
  ended: number;
}

export function noEffect(): ToxicEffect {
  return { bytes: 0, droppedBytes: 0, connections: 0, ended: 0 };
}

/** Bytes are lost while it works: what went on as if nothing had been would be a stream with a hole. */
export function isDropping(toxic: ToxicKind): boolean {
  return toxic.kind === 'half-open' || toxic.kind === 'blackhole' || toxic.kind === 'timeout';
}
