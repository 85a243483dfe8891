/**
 * Keys that the links of other groups have remembered on the target (stray-keys.ts): another group has them, or has had them. For a
 * link that is late: what its stream says of such a key is probably over.
 */
import type { Connection } from '../../connect/connection.ts';
import { openWhere } from '../../connect/discover.ts';
import type { Whereabouts } from '../../connect/discovery.ts';
import { scanMembers } from '../../link/conflict/contested-set.ts';
import { movedKey } from '../checkpoint.ts';

/** What is read is good for so long. */
const FRESH_MS = 20;
/** Of more keys nothing is left out: late commands are applied, and put right afterwards. */
const KEYS_MAX = 200_000;
const REPLY_TIMEOUT_MS = 5000;

export interface PeerMarksOptions {
  link: string;
  target: () => Whereabouts;
  /** Links of the other groups. */
  peers: readonly string[];
}

export class PeerMarks {
  readonly #options: PeerMarksOptions;
  #connection: Connection | undefined;
  #readAtMs = -Infinity;
  #keys: Set<string> = new Set();

  constructor(options: PeerMarksOptions) {
    this.#options = options;
  }

  /**
   * `<database>:<key in latin1>` of every one, read a moment ago at most. None when the target cannot be asked now: then late
   * commands are applied, and put right afterwards.
   */
  async read(): Promise<ReadonlySet<string>> {
    if (performance.now() - this.#readAtMs < FRESH_MS) return this.#keys;
    const keys = new Set<string>();
    try {
      await this.#scan(keys);
    } catch {
      await this.close();
      keys.clear();
    }
    this.#keys = keys.size > KEYS_MAX ? new Set() : keys;
    this.#readAtMs = performance.now();
    return this.#keys;
  }

  async close(): Promise<void> {
    await this.#connection?.close();
    this.#connection = undefined;
  }

  async #scan(keys: Set<string>): Promise<void> {
    const { link, target, peers } = this.#options;
    if (this.#connection?.closed !== false)
      this.#connection = await openWhere(target(), {
        name: `redis-sync:${link}:marks`.replaceAll(/[^!-~]/g, '_'),
        replyTimeoutMs: REPLY_TIMEOUT_MS,
      });
    for (const peer of peers)
      for await (const member of scanMembers(this.#connection, movedKey(peer))) {
        keys.add(member.toString('latin1'));
        if (keys.size > KEYS_MAX) return;
      }
  }
}
