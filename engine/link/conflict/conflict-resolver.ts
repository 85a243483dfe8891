/**
 * Looks at contested keys when both sides have all that was written to them, and makes them equal by the pair's rule.
 *
 * Nothing here has to be in time: a value is taken to the other side through the stream, at the place it was read at, and a
 * write that crosses it there makes the key contested again. So looking too early costs a round, never a write.
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
import { copyCommand } from './copy-command.ts';
import { isSame, printState, readStates, type KeyState } from './key-state.ts';

const INTERVAL_MS = 50;
const AGAIN_MS = 1000;
const AT_ONCE = 256;
const TIMEOUT_MS = 30_000;

export interface ResolverOptions {
  policy: ConflictPolicy;
  /** The side that wins under source-priority. */
  priority: string;
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

  constructor(desk: ConflictDesk, options: ResolverOptions) {
    this.#desk = desk;
    this.#options = options;
    this.#list = new ConflictList(options.policy, options.listFile, (finding) => desk.report(finding));
    this.#running = this.#run(this.#ending.signal);
  }

  async close(): Promise<void> {
    this.#ending.abort();
    await this.#running;
    for (const contest of this.#desk.contests.values())
      if (contest.count > 0) this.#list.add(contest, this.#decide(contest), false);
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
    const ready = this.#ready(members);
    if (ready.length === 0 && !this.#desk.incomplete) return false;
    try {
      if (this.#desk.incomplete && this.#desk.contests.size === 0) await this.#fetch(members, signal);
      if (ready.length > 0) await this.#look(members, ready, signal);
      return false;
    } catch (error) {
      await this.#disconnect();
      const failure = asError(error);
      if (!(failure instanceof SyncError)) throw failure;
      if (!failure.retryable && !signal.aborted) this.#reportRefused(failure);
      return true;
    }
  }

  #ready([a, b]: readonly [Member, Member]): Contest[] {
    const ready: Contest[] = [];
    for (const contest of this.#desk.contests.values()) {
      if (contest.copying || a.side.hasUnseen(contest.id) || b.side.hasUnseen(contest.id)) continue;
      if (ready.push(contest) === AT_ONCE) break;
    }
    return ready;
  }

  async #look(
    members: readonly [Member, Member],
    contests: readonly Contest[],
    signal: AbortSignal,
  ): Promise<void> {
    const versions = contests.map(({ version }) => version);
    const [a = [], b = []] = await Promise.all(
      members.map(async (member) => readStates(await this.#connection(member, signal), contests)),
    );
    const settled: Contest[] = [];
    const toCopy = new Map<Member, Contest[]>(members.map((member) => [member, []]));
    for (const [index, contest] of contests.entries()) {
      const [left, right] = [a[index], b[index]];
      // It was written to while we read: another time.
      if (left === undefined || right === undefined || contest.version !== versions[index]) continue;
      if (members.some(({ side }) => side.hasUnseen(contest.id))) continue;
      const from = this.#settle(members, contest, [left, right]);
      if (from === undefined) settled.push(contest);
      else toCopy.get(from)?.push(contest);
    }
    for (const [from, some] of toCopy) {
      const back = members.find((member) => member !== from);
      await this.#copy(from, back, some, signal);
    }
    await this.#forget(members, settled, signal);
  }

  /** The side whose value the other one is to get; undefined when there is nothing more to be done about it. */
  #settle(
    members: readonly [Member, Member],
    contest: Contest,
    states: readonly [KeyState, KeyState],
  ): Member | undefined {
    const { policy, graceMs } = this.#options;
    const [a, b] = members;
    contest.found ??= new Map([
      [a.member.source, printState(states[0])],
      [b.member.source, printState(states[1])],
    ]);
    const equal = isSame(states[0], states[1], graceMs);
    const decision = this.#decide(contest);
    if (!equal && policy !== 'overwrite') return this.#holder(members, decision.winner);
    if (contest.count > 0) this.#list.add(contest, decision, equal);
    this.#desk.contests.delete(contest.id);
    if (decision.undecidable) this.#desk.count('conflicts undecidable', 1);
    return undefined;
  }

  /** The winner's value is the last one applied on the other side. */
  #holder([a, b]: readonly [Member, Member], winner: string | undefined): Member {
    return winner === undefined || winner === b.member.source ? a : b;
  }

  #decide({ writes }: Contest): Decision {
    const { policy, priority } = this.#options;
    const [first, second] = [...writes].toSorted(([left], [right]) => (left < right ? -1 : 1));
    if (policy === 'overwrite' || first === undefined || second === undefined)
      return { winner: policy === 'source-priority' ? priority : first?.[0], undecidable: false };
    if (policy === 'source-priority') return { winner: priority, undecidable: false };
    const [[a, left], [b, right]] = [first, second];
    const apartMs = Math.abs(left.atMs - right.atMs);
    return {
      winner: left.atMs >= right.atMs ? a : b,
      undecidable: apartMs <= left.errorMs + right.errorMs,
    };
  }

  /**
   * @param back the direction that writes to where it is copied from.
   * @throws SyncError; then they are copied another time.
   */
  async #copy(
    from: Member,
    back: Member | undefined,
    contests: readonly Contest[],
    signal: AbortSignal,
  ): Promise<void> {
    if (contests.length === 0) return;
    for (const contest of contests) contest.copying = true;
    try {
      const connection = await this.#connection(from, signal);
      const replies = await connection.pipeline([
        ...contests.flatMap(({ database, key }) => [
          ['SELECT', database],
          copyCommand(from.member.link, key, this.#deferred(back, database, key)),
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

  #deferred(
    back: Member | undefined,
    database: number,
    key: Buffer,
  ): { deadlineMs: number; graceMs: number } | undefined {
    const deadlineMs = back?.member.deferredDeadlineMs(database, key);
    return deadlineMs === undefined ? undefined : { deadlineMs, graceMs: this.#options.graceMs };
  }

  /** The sets on both targets are read when memory has room for what was not kept there. */
  async #fetch(members: readonly [Member, Member], signal: AbortSignal): Promise<void> {
    this.#desk.incomplete = false;
    for (const [index, member] of members.entries()) {
      // The target of a direction is the source of the other.
      const other = members[1 - index];
      if (other === undefined) continue;
      const connection = await this.#connection(other, signal);
      for await (const kept of scanMembers(connection, contestKey(member.member.link)))
        this.#desk.reopen(kept);
    }
  }

  async #forget(
    members: readonly [Member, Member],
    settled: readonly Contest[],
    signal: AbortSignal,
  ): Promise<void> {
    const kept = settled.flatMap((contest) => contest.members);
    if (kept.length === 0) return;
    for (const [index, { member }] of members.entries()) {
      const other = members[1 - index];
      if (other === undefined) continue;
      const connection = await this.#connection(other, signal);
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

  #reportRefused(error: SyncError): void {
    this.#desk.report({
      code: 'CONFLICT',
      severity: 'error',
      message: `Conflicts cannot be resolved: ${error.message}`,
      evidence: { where: error.where ?? '' },
    });
  }
}
