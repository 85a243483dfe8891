/**
 * Looks at contested keys when all sides have all that was written to them, and makes them equal by the circle's rule.
 *
 * Nothing here has to be in time: a value is taken to the other sides through the stream, at the place it was read at, and a
 * write that crosses it there makes the key contested again. So looking too early costs a round, never a write. That sides are
 * equal is believed when their streams are read up to where they were looked at, and told of nothing that was under way then.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from '../../connect/connection.ts';
import { openWhere } from '../../connect/discover.ts';
import { scanMembers } from './contested-set.ts';
import { asError, SyncError } from '../../errors.ts';
import { ReplyError } from '../../resp/reply.ts';
import { wordReplyError } from '../../connect/reply-errors.ts';
import type { ConflictDesk, ConflictPolicy, Contest, Member } from './conflict-desk.ts';
import { contestKey } from '../../apply/checkpoint.ts';
import { ConflictList, type Decision } from './conflict-list.ts';
import type { LocalWrite } from './conflict-side.ts';
import { copyCommand, deleteCommand } from './copy-command.ts';
import { isSame, printState, readStates, type KeyState } from './key-state.ts';

const INTERVAL_MS = 50;
const AGAIN_MS = 1000;
/** An account that has lost a right may get it back, as links wait for theirs. */
const REFUSED_MS = 30_000;
const AT_ONCE = 256;
const TIMEOUT_MS = 30_000;
const NO_KEY: KeyState = { payload: undefined, deadlineMs: 0, isExact: true };

interface Copying {
  contest: Contest;
  /** Not the value that is there, but that there is none. */
  isDelete: boolean;
}

export interface ResolverOptions {
  policy: ConflictPolicy;
  /** Names of the sides as the circle goes; under source-priority the first one of them wins. */
  order: readonly string[];
  /** Where every conflict is listed. */
  listFile: string | undefined;
  graceMs: number;
}

export class ConflictResolver {
  readonly #desk: ConflictDesk;
  readonly #options: ResolverOptions;
  readonly #list: ConflictList;
  readonly #ending = new AbortController();
  readonly #running: Promise<void>;
  readonly #connections = new Map<Member, Connection>();
  /** What a server refuses, and since when (ms), while it does. */
  #refused: { error: SyncError; sinceMs: number; told: boolean } | undefined;

  constructor(desk: ConflictDesk, options: ResolverOptions) {
    this.#desk = desk;
    this.#options = options;
    this.#list = new ConflictList(options.policy, options.listFile, (finding) => desk.report(finding));
    this.#running = this.#run(this.#ending.signal);
  }

  async close(): Promise<void> {
    this.#ending.abort();
    await this.#running;
    if (this.#desk.contests.size > 0) this.#reportRefused();
    // The targets remember what the policy is to decide; under `overwrite` nobody ever makes them equal.
    const end = this.#desk.resolves ? 'open' : 'different';
    for (const contest of this.#desk.contests.values())
      if (isConflict(contest)) this.#list.add(contest, this.#decide(contest), end);
    await this.#list.close();
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const failed = await this.#round(signal);
      await sleep(failed ? AGAIN_MS : INTERVAL_MS, undefined, { signal }).catch(() => undefined);
    }
    await this.#disconnect();
  }

  /** True when it has to be tried again later: a side is away. */
  async #round(signal: AbortSignal): Promise<boolean> {
    const { members } = this.#desk;
    if (members === undefined) return false;
    try {
      if (this.#desk.incomplete && this.#desk.contests.size === 0) await this.#fetch(members, signal);
      const ready = this.#ready(members);
      if (ready.length === 0) return false;
      const equal = ready.filter((contest) => contest.equal !== undefined);
      for (const contest of equal) this.#finish(contest, true);
      // At once: what is told of from here on is seen by the contest's version.
      const others = ready.filter((contest) => !equal.includes(contest));
      if (others.length > 0) await this.#look(members, others, signal);
      await this.#forget(members, equal, signal);
      this.#refused = undefined;
      return false;
    } catch (error) {
      await this.#disconnect();
      const failure = asError(error);
      if (!(failure instanceof SyncError)) throw failure;
      if (failure.retryable || signal.aborted) return true;
      this.#refused = { sinceMs: performance.now(), told: false, ...this.#refused, error: failure };
      if (performance.now() - this.#refused.sinceMs > REFUSED_MS) this.#reportRefused();
      return true;
    }
  }

  /** To be looked at; those that are known to be equal with what tells so. */
  #ready(members: readonly Member[]): Contest[] {
    const ready: Contest[] = [];
    for (const contest of this.#desk.contests.values()) {
      if (contest.equal?.version !== contest.version) contest.equal = undefined;
      if (contest.copying || this.#desk.hasUnseen(contest.id)) continue;
      const { equal } = contest;
      if (equal && members.some(({ side }) => side.readTo < (equal.offsets.get(side.options.name) ?? 0n)))
        continue;
      if (ready.push(contest) === AT_ONCE) break;
    }
    return ready;
  }

  async #look(members: readonly Member[], contests: readonly Contest[], signal: AbortSignal): Promise<void> {
    const versions = contests.map(({ version }) => version);
    const seen = await Promise.all(
      members.map(async (member) => readStates(await this.#connection(member, signal), contests)),
    );
    const offsets = new Map(members.map(({ side }, at) => [side.options.name, seen[at]?.offset ?? 0n]));
    const settled: Contest[] = [];
    const toCopy = new Map<Member, Copying[]>(members.map((member) => [member, []]));
    for (const [index, contest] of contests.entries()) {
      const states = seen.flatMap((each) => each.states[index] ?? []);
      // It was written to while we read: another time.
      if (contest.version !== versions[index] || this.#desk.hasUnseen(contest.id)) continue;
      contest.found ??= new Map(
        members.map(({ side }, at) => [side.options.name, printState(states[at] ?? NO_KEY)]),
      );
      const areSame = states.every((state) => isSame(states[0] ?? NO_KEY, state, this.#options.graceMs));
      if (areSame) contest.equal = { version: contest.version, offsets };
      else if (this.#options.policy === 'overwrite') settled.push(contest);
      else {
        const { winner } = this.#decide(contest);
        const [holder, at] = this.#holder(members, winner);
        // A delete that found nothing on its way went no further.
        const won = winner === undefined ? undefined : contest.writes.get(winner);
        const isDelete = won?.deletes === true && !isOlder(won, contest.newest);
        toCopy.get(holder)?.push({ contest, isDelete: isDelete && states[at]?.payload !== undefined });
      }
    }
    for (const contest of settled) this.#finish(contest, false);
    await this.#forget(members, settled, signal);
    for (const [from, some] of toCopy) await this.#copy(members, from, some, signal);
  }

  /** There is nothing more to be done about it. */
  #finish(contest: Contest, areEqual: boolean): void {
    const decision = this.#decide(contest);
    if (isConflict(contest)) this.#list.add(contest, decision, areEqual ? 'equal' : 'different');
    this.#desk.contests.delete(contest.id);
    if (decision.undecidable) this.#desk.count('conflicts undecidable', 1);
  }

  /** The winner's value is the last one applied on the side before it. */
  #holder(members: readonly Member[], winner: string | undefined): [Member, number] {
    const won = members.findIndex(({ side }) => side.options.name === winner);
    const at = won < 0 ? 0 : (won - 1 + members.length) % members.length;
    const holder = members[at];
    if (holder === undefined) throw new Error('a circle without members');
    return [holder, at];
  }

  #decide({ writes }: Contest): Decision {
    const { policy, order } = this.#options;
    const known = order.flatMap((side) => {
      const write = writes.get(side);
      return write === undefined ? [] : [{ side, write }];
    });
    if (policy === 'overwrite') return { winner: undefined, undecidable: false };
    if (policy === 'source-priority') return { winner: known[0]?.side ?? order[0], undecidable: false };
    const [newest, ...older] = known.toSorted((a, b) => b.write.atMs - a.write.atMs);
    const undecidable = older.some(
      ({ write }) => newest && newest.write.atMs - write.atMs <= newest.write.errorMs + write.errorMs,
    );
    return { winner: newest?.side, undecidable };
  }

  /** @throws SyncError; then they are copied another time. */
  async #copy(
    members: readonly Member[],
    from: Member,
    some: readonly Copying[],
    signal: AbortSignal,
  ): Promise<void> {
    if (some.length === 0) return;
    const contests = some.map(({ contest }) => contest);
    for (const contest of contests) contest.copying = true;
    try {
      const connection = await this.#connection(from, signal);
      const replies = await connection.pipeline([
        ...some.flatMap(({ contest: { database, key }, isDelete }) => [
          ['SELECT', database],
          isDelete
            ? deleteCommand(from.member.link, key)
            : copyCommand(from.member.link, key, this.#deferred(members, from, database, key)),
        ]),
        ['SELECT', 0],
      ]);
      const refused = replies.find((reply) => reply instanceof ReplyError);
      if (refused instanceof ReplyError) throw wordReplyError(refused, connection.endpoint, 'EVAL');
    } catch (error) {
      for (const contest of contests) contest.copying = false;
      throw error;
    }
    for (const contest of contests) contest.copies++;
    this.#desk.count('conflicts copied', contests.length);
  }

  /** A deadline stands later where a link has brought it: which one did is asked back along the circle. */
  #deferred(
    members: readonly Member[],
    from: Member,
    database: number,
    key: Buffer,
  ): { deadlineMs: number; graceMs: number } | undefined {
    const at = members.indexOf(from);
    for (let back = 1; back < members.length; back++) {
      const deadlineMs = members.at(at - back)?.member.deferredDeadlineMs(database, key);
      if (deadlineMs !== undefined) return { deadlineMs, graceMs: this.#options.graceMs };
    }
    return undefined;
  }

  /** The sets on all targets are read when memory has room for what was not kept there. */
  async #fetch(members: readonly Member[], signal: AbortSignal): Promise<void> {
    this.#desk.incomplete = false;
    for (const { member, target } of targetsOf(members)) {
      const connection = await this.#connection(target, signal);
      for await (const kept of scanMembers(connection, contestKey(member.link))) this.#desk.reopen(kept);
    }
  }

  async #forget(members: readonly Member[], settled: readonly Contest[], signal: AbortSignal): Promise<void> {
    const kept = settled.flatMap((contest) => contest.members);
    if (kept.length === 0) return;
    for (const { member, target } of targetsOf(members)) {
      const connection = await this.#connection(target, signal);
      await connection.tryCall('SREM', contestKey(member.link), ...kept);
    }
  }

  async #connection(member: Member, signal: AbortSignal): Promise<Connection> {
    const known = this.#connections.get(member);
    if (known?.closed === false) return known;
    for (const [key, connection] of this.#connections)
      if (key.member.source === member.member.source) {
        this.#connections.delete(key);
        await connection.close();
      }
    const connection = await openWhere(member.member.sourceWhereabouts(), {
      name: 'redis-sync:conflicts',
      replyTimeoutMs: TIMEOUT_MS,
      signal,
    });
    this.#connections.set(member, connection);
    return connection;
  }

  async #disconnect(): Promise<void> {
    for (const connection of this.#connections.values()) await connection.close();
    this.#connections.clear();
  }

  /** Once for each time that a server begins to refuse. */
  #reportRefused(): void {
    if (this.#refused === undefined || this.#refused.told) return;
    this.#refused.told = true;
    const { error } = this.#refused;
    this.#desk.report({
      code: 'CONFLICT',
      severity: 'error',
      message: `Conflicts cannot be resolved: ${error.message}`,
      evidence: { where: error.where ?? '' },
    });
  }
}

/** Something was written after it, having seen it or not. */
function isOlder(write: LocalWrite, newest: LocalWrite | undefined): boolean {
  return newest !== undefined && newest.atMs > write.atMs;
}

/** And not only a key that may differ because of one. What a target has kept from before a restart counts when it differed. */
function isConflict({ count, copies, reopened }: Contest): boolean {
  return count > 0 || (reopened && copies > 0);
}

/** The target of a link of a circle is the source of the next one. */
function targetsOf(members: readonly Member[]): { member: Member['member']; target: Member }[] {
  return members.flatMap(({ member }, at) => {
    const target = members[(at + 1) % members.length];
    return target === undefined ? [] : [{ member, target }];
  });
}
