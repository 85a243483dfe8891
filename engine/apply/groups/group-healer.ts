/**
 * Makes keys that have moved between the groups of a Codis cluster what they are at the group that has them now, although the
 * links of all groups go on writing to the target:
 *
 *   target   WATCH keys
 *   groups   EXISTS of each key, at offset q of each group's stream
 *            wait until the link of every group has applied its q        what a late link still says of a key is over
 *   owner    DUMP, PTTL of each, at offset p
 *            wait until the owner's link has applied p
 *   target   MULTI · SREM redis-sync:moved:<link> · RESTORE what differs · EXEC     nothing if a key was touched meanwhile
 *
 * A key that moves once more after q is remembered again by the link of the group it comes to, so the last look counts. One that
 * no group has is deleted: if it came to one meanwhile, that group's stream brings it. One that two groups have is on its way.
 */
import type { Connection } from '../../connect/connection.ts';
import { openWhere } from '../../connect/discover.ts';
import type { Whereabouts } from '../../connect/discovery.ts';
import { scanMembers } from '../../link/conflict/contested-set.ts';
import { delay } from '../../psync/backoff.ts';
import { textOf } from '../../resp/reply-text.ts';
import { ReplyError } from '../../resp/reply.ts';
import { checkpointKey, movedKey } from '../checkpoint.ts';
import { readState, writesFor, type KeyState, type StreamMoment } from '../cluster/key-repair.ts';
import type { LinkFinding } from '../finding.ts';
import { printKey } from '../refusals.ts';
import { memberOf, type StrayKeys } from './stray-keys.ts';
import { GroupView } from './group-view.ts';

const TURN_MS = 100;
const TURN_AFTER_FAILURE_MS = 500;
const KEYS_AT_ONCE = 64;
const POLL_MS = 10;
const APPLIED_TIMEOUT_MS = 1000;
const REPLY_TIMEOUT_MS = 10_000;

export interface GroupHealerOptions {
  link: string;
  strays: StrayKeys;
  target: () => Whereabouts;
  /** All groups, that of this link among them: the link, and where its source is now. */
  groups: readonly { link: string; source: () => Whereabouts }[];
  /** How far this link is. */
  appliedOffset: () => bigint;
  /** So many keys were not what they should be. */
  onHealed: (keys: number) => void;
  onFinding: (finding: LinkFinding) => void;
}

/** Keys of one database that are looked at together. */
interface Batch {
  database: number;
  keys: Buffer[];
}

export class GroupHealer {
  readonly #options: GroupHealerOptions;
  readonly #views: readonly GroupView[];
  #target: Connection | undefined;
  /** Keys that were not right, or not known to be, when they were looked at; one before the first look. */
  #left = 1;
  /** Of these as many are in two groups. */
  #overlapping = 0;
  /** Everything that was remembered up to there has been looked at. */
  #lookedUpTo = -1n;
  /** How often it was told to look again: a look that began before does not count. */
  #orders = 0;
  #isSettled = false;

  constructor(options: GroupHealerOptions) {
    this.#options = options;
    this.#views = options.groups.map(({ link, source }) => new GroupView(link, source));
  }

  /** Keys that may not be right yet. */
  get pending(): number {
    const { strays } = this.#options;
    const isNews = strays.lastOffset > this.#lookedUpTo || strays.hasRefused ? 1 : 0;
    // Nobody moves keys any more: what two groups have then is a matter of the source.
    const left = this.#isSettled ? this.#left - this.#overlapping : this.#left;
    return Math.max(left, isNews);
  }

  /** Keys were remembered otherwise than by the stream. */
  lookAgain(): void {
    this.#orders++;
    this.#left = Math.max(1, this.#left);
    this.#lookedUpTo = -1n;
  }

  /** The sources are quiet. */
  settle(): void {
    this.#isSettled = true;
  }

  /** Runs until the signal aborts. Never throws: what does not work now is tried again. */
  async run(signal: AbortSignal): Promise<void> {
    const onAbort = (): void => void this.#close();
    signal.addEventListener('abort', onAbort, { once: true });
    while (!signal.aborted) {
      let pauseMs = TURN_MS;
      if (this.#left > 0 || this.pending > 0) {
        try {
          await this.#turn(signal);
        } catch {
          await this.#close();
          pauseMs = TURN_AFTER_FAILURE_MS;
        }
      }
      await delay(pauseMs, signal);
    }
    signal.removeEventListener('abort', onAbort);
    await this.#close();
  }

  async #close(): Promise<void> {
    await Promise.all([this.#target?.close(), ...this.#views.map((view) => view.close())]);
    this.#target = undefined;
  }

  async #turn(signal: AbortSignal): Promise<void> {
    const { strays, appliedOffset, link } = this.#options;
    const upTo = strays.lastOffset;
    const orders = this.#orders;
    const isKnown = appliedOffset() >= upTo;
    const target = await this.#open(signal);
    await target.call('SELECT', 0);
    const refused = strays.takeRefused();
    if (refused.length > 0) await target.call('SADD', movedKey(link), ...refused.map(memberOf));
    const members: Buffer[] = [];
    for await (const member of scanMembers(target, movedKey(link))) members.push(member);
    let left = 0;
    this.#overlapping = 0;
    for (const batch of batches(members)) {
      signal.throwIfAborted();
      left += await this.#heal(batch, signal);
    }
    if (orders !== this.#orders) return;
    this.#left = left;
    if (isKnown) this.#lookedUpTo = upTo;
  }

  async #open(signal: AbortSignal): Promise<Connection> {
    if (this.#target?.closed !== false)
      this.#target = await openWhere(this.#options.target(), {
        name: `redis-sync:${this.#options.link}:groups`.replaceAll(/[^!-~]/g, '_'),
        replyTimeoutMs: REPLY_TIMEOUT_MS,
        signal,
      });
    return this.#target;
  }

  /** @returns how many of the keys are not known to be right. */
  async #heal(batch: Batch, signal: AbortSignal): Promise<number> {
    const target = await this.#open(signal);
    const { database, keys } = batch;
    await target.pipeline([['SELECT', database], ['UNWATCH'], ['WATCH', ...keys]]);
    const seen = await Promise.all(this.#views.map((view) => view.look(database, keys, signal)));
    const moments = new Map(seen.map((moment, index) => [this.#views[index]?.link ?? '', moment] as const));
    if (!(await this.#areApplied(moments, database, signal))) return keys.length;
    const wanted = await this.#readOwners(batch, seen, signal);
    if (wanted === undefined) return keys.length;
    const known = keys.filter((_, index) => wanted[index] !== undefined);
    const written = known.length === 0 ? 0 : await this.#write(batch, wanted, target);
    if (written !== undefined) return keys.length - known.length;
    // Somebody wrote to one of them: the others are not concerned.
    if (keys.length === 1) return 1;
    let left = 0;
    for (const key of keys) left += await this.#heal({ database, keys: [key] }, signal);
    return left;
  }

  /**
   * What each key is at the group that has it.
   *
   * @returns by key: undefined when that is not known now. Undefined for all when a link does not come so far.
   */
  async #readOwners(
    { database, keys }: Batch,
    seen: readonly { has: boolean[] }[],
    signal: AbortSignal,
  ): Promise<(KeyState | undefined)[] | undefined> {
    const wanted: (KeyState | undefined)[] = keys.map(() => undefined);
    const moments = new Map<string, StreamMoment>();
    const owners = keys.map((_, index) => this.#views.filter((_view, at) => seen[at]?.has[index] === true));
    for (const [index, having] of owners.entries()) {
      if (having.length === 0) wanted[index] = { payload: null, expireAtMs: -1 };
      if (having.length > 1) this.#overlapping++;
    }
    for (const view of this.#views) {
      const own = keys.flatMap((key, index) =>
        owners[index]?.length === 1 && owners[index][0] === view ? [{ key, index }] : [],
      );
      if (own.length === 0) continue;
      const { states, ...moment } = await view.read(
        database,
        own.map(({ key }) => key),
        signal,
      );
      moments.set(view.link, moment);
      // Gone since: it has moved on, or was deleted. The next look tells.
      for (const [at, { index }] of own.entries())
        if (states[at]?.payload !== null) wanted[index] = states[at];
    }
    return (await this.#areApplied(moments, database, signal)) ? wanted : undefined;
  }

  /** Undefined when one of the keys was touched. */
  async #write(
    { database, keys }: Batch,
    wanted: readonly (KeyState | undefined)[],
    target: Connection,
  ): Promise<number | undefined> {
    const { link, onHealed, onFinding } = this.#options;
    const there = await readState(target, keys);
    const writes = keys.flatMap((key, index) => writesFor(key, wanted[index], there[index]));
    const done = keys.filter((_, index) => wanted[index] !== undefined);
    const replies = await target.pipeline([
      ['MULTI'],
      ['SELECT', 0],
      ['SREM', movedKey(link), ...done.map((key) => memberOf({ database, key }))],
      ['SELECT', database],
      ...writes,
      ['EXEC'],
    ]);
    const results = replies.at(-1) ?? null;
    if (results === null) return undefined;
    if (!Array.isArray(results)) throw new Error(textOf(results));
    // Before the writes stand SELECT, SREM and SELECT.
    for (const [index, result] of results.slice(3).entries()) {
      const key = writes[index]?.[1];
      if (result instanceof ReplyError && Buffer.isBuffer(key))
        onFinding(refusedFinding(key, database, result.message));
    }
    onHealed(writes.length);
    return writes.length;
  }

  /** Waits, not long, until the target has this of every link. */
  async #areApplied(
    moments: ReadonlyMap<string, StreamMoment>,
    database: number,
    signal: AbortSignal,
  ): Promise<boolean> {
    const target = await this.#open(signal);
    const deadline = performance.now() + APPLIED_TIMEOUT_MS;
    const asked = [...moments.keys()].map((link) => ['HMGET', checkpointKey(link), 'replid', 'offset']);
    for (;;) {
      const replies = await target.pipeline([['SELECT', 0], ...asked, ['SELECT', database]]);
      const isThere = [...moments.values()].every(({ replid, offset }, index) => {
        const reply = replies[1 + index];
        const [has, at] = Array.isArray(reply) ? reply.map(textOf) : [];
        return has === replid && Number(at) >= offset;
      });
      if (isThere) return true;
      if (performance.now() > deadline) return false;
      await delay(POLL_MS, signal);
      signal.throwIfAborted();
    }
  }
}

function* batches(members: readonly Buffer[]): Generator<Batch, void, undefined> {
  const byDatabase = new Map<number, Map<string, Buffer>>();
  for (const member of members) {
    const at = member.indexOf(':');
    const database = Number(member.toString('latin1', 0, at));
    const keys = byDatabase.get(database) ?? new Map<string, Buffer>();
    byDatabase.set(database, keys);
    const key = member.subarray(at + 1);
    keys.set(key.toString('latin1'), key);
  }
  for (const [database, keys] of byDatabase) {
    const all = [...keys.values()];
    for (let from = 0; from < all.length; from += KEYS_AT_ONCE)
      yield { database, keys: all.slice(from, from + KEYS_AT_ONCE) };
  }
}

function refusedFinding(key: Buffer, database: number, reply: string): LinkFinding {
  return {
    code: 'TOPOLOGY_CHANGED',
    severity: 'error',
    message: `A key that has moved between the groups could not be put right on the target: ${reply}`,
    evidence: { key: printKey(key), database, reply },
  };
}
