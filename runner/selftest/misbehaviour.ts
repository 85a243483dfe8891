/**
 * What a known-bad engine does wrong. It is the real engine in a process of ours: its messages to the runner pass through us
 * and may be changed (`tell`), what it reads from its source passes through a proxy (`stream`), and somebody of ours may
 * meddle with the servers as if the engine did it (`meddle`). The engine itself has no hooks for this.
 */
import type { Connection } from '../../engine/connect/connection.ts';
import type { Endpoint } from '../../engine/connect/endpoint.ts';
import type { FromReplicator } from '../../engine/link/messages.ts';
import type { ReplicatorOptions } from '../../engine/link/options.ts';
import type { LaneKind } from '../../reports/evidence.ts';

export interface StreamCommand {
  /** Lower case. */
  name: string;
  words: readonly Buffer[];
  /** As it stands in the stream. */
  raw: Buffer;
}

/** What goes on to the engine instead; in order. */
export interface StreamOutput {
  send(bytes: Buffer): void;
  /** Everything behind it waits so long. */
  hold(ms: number): void;
  /** The connection ends. */
  cut(): void;
}

export type StreamMutation = (command: StreamCommand, out: StreamOutput) => void;

export interface Meddling {
  source: Connection;
  target: Connection;
  /** Key and database of a ledger lane of that kind with at least a few writes; both connections have selected it. */
  findLane: (kind: LaneKind) => Promise<string>;
  /** Resolves after so long, or when the engine is told to stop. */
  pause: (ms: number) => Promise<void>;
  /** It is done, or goes on from now on. */
  confess: () => void;
  signal: AbortSignal;
}

export interface Misbehaviour {
  /** Made once per connection that PSYNCs. */
  stream?: () => StreamMutation;
  /** Begins when the link is in sync. */
  meddle?: (meddling: Meddling) => Promise<void>;
  /** What the runner hears instead. Made once. */
  tell?: () => (message: FromReplicator) => FromReplicator[];
  /** What the engine is told instead. */
  begin?: (options: ReplicatorOptions) => ReplicatorOptions;
}

/** @throws when the instance is not one plain address: selftests provision their own. */
export function plainEndpoint(where: ReplicatorOptions['source']): Endpoint {
  if ('kind' in where) throw new Error('a known-bad engine needs plain addresses');
  return where;
}
