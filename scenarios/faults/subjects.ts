/**
 * What faults act on: servers, links and the ways between them, as they are when a step fires. The runner implements it; a
 * fault never knows how a server came to be.
 */
import type { Endpoint } from '../../engine/connect/endpoint.ts';
import type { GateControl } from '../proxy/gate-control.ts';

/** What one may do to a server's process. */
export interface NodeControl {
  /** Ends it as a power failure would. */
  kill(): Promise<void>;
  /** SIGSTOP: connections stay open, nothing answers. Resolves when it has taken effect. */
  pause(): Promise<void>;
  resume(): void;
  /** Ends it if it runs, starts it at the same address with the same configuration, waits until it answers. */
  restart(): Promise<void>;
  /** Sets its clock ahead of the machine's, ms; negative: behind. Absent unless it was started for that. */
  readonly moveClock?: (byMs: number) => void;
}

/** Files on the machine of a server that speaks TLS with certificates of ours, both of the same key. */
export interface NodeCertificates {
  readonly certFile: string;
  /** Has run out. */
  readonly expiredCertFile: string;
}

export interface FaultNode {
  /** `primary`, `replica-0` as provisioned; a failover does not rename it. */
  readonly name: string;
  readonly endpoint: Endpoint;
  /** host:port, safe to print. */
  readonly address: string;
  /** Where its data lives. */
  readonly folder?: string;
  readonly logFile?: string;
  /** Absent: its process is not ours. */
  readonly control?: NodeControl;
  /** Absent: it speaks no TLS, or its certificates are not ours. */
  readonly certificates?: NodeCertificates;
}

export interface FaultInstance {
  readonly name: string;
  readonly kind: string;
  /** Every server of it that holds data, whatever role it has now. */
  nodes(): readonly FaultNode[];
  /** Those that watch it: Sentinels. */
  attendants(): readonly FaultNode[];
  /** Starts one more replica of a node; in sync when it resolves. Absent: the instance is not ours. */
  addReplica?(of: FaultNode): Promise<FaultNode>;
}

/** How the processes of a link ended that were asked to. */
export interface EngineEnd {
  pids: number[];
  /** All of them by themselves, having applied what they had received. */
  inOrder: boolean;
  /** Source offset up to which everything was on the target then; of several shards their sum. */
  appliedOffset: string;
}

/** The process that hosts a link. */
export interface EngineControl {
  readonly pid: number | undefined;
  /** SIGKILL, without a last word. Its links stand still until `restart`. */
  kill(): Promise<void>;
  /** Lets it apply what it has received, write its checkpoint and end. Its links stand still until `restart`. */
  stop(): Promise<EngineEnd>;
  /** Starts it anew: it goes on where the targets say that it was. */
  restart(): Promise<void>;
  /** SIGSTOP. Resolves when it has taken effect. */
  pause(): Promise<void>;
  resume(): void;
}

export interface FaultLink {
  readonly id: string;
  /** Names of instances. */
  readonly source: string;
  readonly target: string;
  readonly engine: EngineControl;
  /** In the words of the vendor's API: Synchronizing, Retrying, Suspending … */
  readonly state: string;
  /** Applying is suspended and resumed, as a person would. */
  suspend(): void;
  resume(): void;
  /** The way to one side; undefined when this run has no proxy there. */
  gate(side: 'source' | 'target'): GateControl | undefined;
}

/** What a step's `where` means. */
export type Aim =
  | { kind: 'node'; instance: FaultInstance; shard?: number; role: 'primary' }
  | { kind: 'node'; instance: FaultInstance; shard?: number; role: 'replica'; index: number }
  | { kind: 'link'; link: FaultLink; side?: 'source' | 'target' };

export interface Subjects {
  /** @throws SyncError SPEC_INVALID when there is no such instance or link. */
  aim(where: string): Aim;
  instance(name: string): FaultInstance;
  /** The links that start or end at an instance. */
  linksOf(instance: string): readonly FaultLink[];
  /**
   * Clients write no more to keys of these Codis slots, until they are moved. Resolves when everything they have sent before is
   * answered, at the latest when that has taken too long.
   */
  holdCodisSlots(slots: readonly number[]): Promise<void>;
  /** From now on clients find the keys of a Codis slot in this group. */
  moveCodisSlot(slot: number, group: string): void;
  /** Servers have moved: links are told where everything is to be found now. */
  relocate(): void;
}
