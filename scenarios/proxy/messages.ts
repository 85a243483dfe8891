/** What the runner and the fault proxy's process say to each other over IPC. Requests carry an `id`, their answer the same. */
import type { Stream, Toxic, ToxicEffect } from './toxic.ts';

/** Bytes and connections of a gate since it was opened. */
export interface GateCounters {
  connections: number;
  live: number;
  upstreamBytes: number;
  downstreamBytes: number;
}

export interface GateStatus {
  counters: GateCounters;
  /** By name of the toxic, those that were taken away included. */
  effects: Record<string, ToxicEffect>;
}

/** Holds the first connection that has carried `bytes`, exactly there, until it is released. */
export interface ByteWatch {
  name: string;
  gate: string;
  stream: Stream;
  bytes: number;
}

export type ToProxy =
  /** Opens one more door of a gate: a loopback port that leads to a server. */
  | { kind: 'open'; id: number; gate: string; host: string; port: number }
  | { kind: 'add'; id: number; gate: string; toxic: Toxic }
  /** Takes a toxic away; connections that have lost bytes are reset. */
  | { kind: 'remove'; id: number; gate: string; toxic: string }
  | { kind: 'reset'; id: number; gate: string }
  | { kind: 'status'; id: number; gate: string }
  | { kind: 'watch'; id: number; watch: ByteWatch }
  /** What the watch holds goes on. */
  | { kind: 'release'; id: number; gate: string; watch: string }
  | { kind: 'stop' };

export type FromProxy =
  | { kind: 'ready' }
  | { kind: 'opened'; id: number; port: number }
  | { kind: 'status'; id: number; status: GateStatus }
  | { kind: 'failed'; id: number; message: string }
  | { kind: 'reached'; watch: string; gate: string };
