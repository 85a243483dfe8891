/** A gate as faults and the timeline see it, in whatever process it stands. */
import type { ByteWatch, GateStatus } from './messages.ts';
import type { Toxic } from './toxic.ts';

export interface GateControl {
  /** Unique in the run. */
  readonly name: string;
  add(toxic: Toxic): Promise<void>;
  /** Idempotent; also when the proxy is gone. Resets the connections that have lost bytes. */
  remove(toxic: string): Promise<void>;
  /** RST for every connection. */
  reset(): Promise<void>;
  status(): Promise<GateStatus>;
  /** Resolves as soon as the watch is set; `onReached` is called once, while the connection is held. */
  watch(watch: Omit<ByteWatch, 'gate'>, onReached: () => void): Promise<void>;
  /** What a watch holds goes on. Idempotent. */
  release(watch: string): Promise<void>;
}
