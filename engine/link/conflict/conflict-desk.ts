/**
 * Where both directions of a pair meet: which keys both sides wrote without having seen the other's write, and what is done
 * about it. Everything is applied on both sides as it comes; so after a conflict the two values are exchanged, or mixed.
 * When both have everything, the value of one side is copied to the other (conflict-resolver.ts).
 *
 *   written ──▶ contested ──both sides have all──▶ equal? ─yes─▶ settled
 *                  ▲                                  └─no──▶ copied, in order with both streams ──┐
 *                  └───────────────────────────────────────────────────────────────────────────────┘
 *
 * Which side's value: the newest write, made on side N, is on the other side the last one applied, and so its value stands there;
 * on N something older may have been applied over it. So N's winner is read from the other side.
 */
import { randomBytes } from 'node:crypto';
import type { Whereabouts } from '../../connect/discovery.ts';
import type { LinkFinding } from '../../apply/finding.ts';
import { ConflictSide, idOf, type LocalWrite } from './conflict-side.ts';

/**
 *   overwrite         nothing is done: each side keeps what it applied last, and they may differ (what managed services do)
 *   last-write-wins   the newest write wins, by our clock
 *   source-priority   the write of the side that is named wins
 */
export type ConflictPolicy = 'overwrite' | 'last-write-wins' | 'source-priority';

/** Contested keys in memory; what comes beyond is kept on the targets only, and fetched when there is room. */
const CONTESTS_MAX = 50_000;

export interface DeskMember {
  /** The instance that the link reads. */
  source: string;
  /** The link of this direction. */
  link: string;
  heartbeatMs: number;
  heartbeatPrefix: string;
  sourceWhereabouts: () => Whereabouts;
  /** What the source has set, ms since the epoch, when the link has written a key's deadline later on its target. */
  deferredDeadlineMs: (database: number, key: Buffer) => number | undefined;
  onFinding: (finding: LinkFinding) => void;
  onCount: (what: string, by: number) => void;
}

export interface KeyPlace {
  /** `database:key` */
  id: string;
  database: number;
  /** Not a view: it is kept. */
  key: Buffer;
}

export interface Contest {
  id: string;
  database: number;
  key: Buffer;
  /** Grows with everything that happens to it: what was read before is out of date. */
  version: number;
  /** Times that a write met one that it had not seen. */
  count: number;
  /** The newest conflicting write of each side, by the side's name. */
  writes: Map<string, LocalWrite>;
  /** The value was put into a stream and is on its way. */
  copying: boolean;
  /** As the targets keep it, in sets. */
  members: Buffer[];
  copies: number;
  /** As they were found first, by the side's name: what each side had after the exchange. */
  found: Map<string, string> | undefined;
}

export class ConflictDesk {
  readonly contests = new Map<string, Contest>();
  readonly #sides = new Map<string, Member>();
  readonly #left = new WeakSet<ConflictSide>();
  /** There are contested keys on the targets that memory does not hold. */
  incomplete = true;
  #forgotten = 0;
  /** The policy makes both sides equal. */
  readonly resolves: boolean;
  readonly #token = `${randomBytes(6).toString('hex')}-`;
  #named = 0;
  /** Speaks for both directions, also at the end when both have left. */
  #spokesman: DeskMember | undefined;

  /** @param resolves whether the policy makes both sides equal. */
  constructor(resolves: boolean) {
    this.resolves = resolves;
  }

  /** A direction begins, or begins again. */
  join(member: DeskMember): ConflictSide {
    const { source, link, heartbeatMs, heartbeatPrefix } = member;
    const side = new ConflictSide(this, { name: source, link, heartbeatMs, heartbeatPrefix });
    this.#sides.set(source, { side, member });
    this.#spokesman ??= member;
    this.incomplete = true;
    return side;
  }

  /** A direction ends. What it knows of is still of use to the other one. */
  leave(side: ConflictSide): void {
    this.#left.add(side);
  }

  /** Both directions, when both streams are read. */
  get members(): readonly [Member, Member] | undefined {
    const [a, b] = [...this.#sides.values()];
    const isThere = (each: Member | undefined): each is Member =>
      each !== undefined && each.side.isRead && !this.#left.has(each.side);
    return isThere(a) && isThere(b) ? [a, b] : undefined;
  }

  otherOf(side: ConflictSide): ConflictSide | undefined {
    for (const each of this.#sides.values()) if (each.side !== side) return each.side;
    return undefined;
  }

  /** One that may differ; only in memory. */
  look({ id, key, database }: KeyPlace): void {
    const known = this.contests.get(id) ?? this.#contest(id, database, key);
    if (known !== undefined) known.version++;
  }

  /** One that may differ because of another one. @returns as `collided`. */
  suspect({ id, key, database }: KeyPlace): Buffer | undefined {
    const known = this.contests.get(id);
    if (known !== undefined) {
      known.version++;
      return undefined;
    }
    const member = this.#nameMember(id);
    this.#contest(id, database, key)?.members.push(member);
    return member;
  }

  /** A target refused a command at these keys. True when that comes of a conflict, and will be put right. */
  refused(places: readonly KeyPlace[]): boolean {
    if (!this.resolves || this.members === undefined) return false;
    for (const place of places) this.suspect(place);
    this.count('conflicts refused', 1);
    return true;
  }

  /** @returns what is to be kept in mind on the target: undefined when the key was contested before. */
  collided(
    { id, key, database }: KeyPlace,
    [side, write]: [ConflictSide, LocalWrite],
    [other, theirs]: [ConflictSide, LocalWrite | undefined],
  ): Buffer | undefined {
    const known = this.contests.get(id);
    const contest = known ?? this.#contest(id, database, key);
    // No room: it will be fetched.
    if (contest === undefined) return this.#nameMember(id);
    const member = known === undefined ? this.#nameMember(id) : undefined;
    if (member !== undefined) contest.members.push(member);
    contest.version++;
    contest.writes.set(side.options.name, write);
    // A copy of ours is nobody's write: the other side's was overtaken by it, that is all.
    if (theirs?.kind === 'copy') return member;
    // Seen by what was applied, and by what was told before: once is enough.
    if (theirs === undefined && known !== undefined) return member;
    if (theirs !== undefined) contest.writes.set(other.options.name, theirs);
    contest.count++;
    this.count('conflicts', 1);
    return member;
  }

  /** One that is known from before, as a target kept it: it says neither when nor by whom the key was written. */
  reopen(member: Buffer): void {
    const place = readMember(member);
    if (place === undefined) return;
    const id = idOf(place.database, place.key);
    const contest = this.contests.get(id) ?? this.#contest(id, place.database, place.key);
    contest?.members.push(member);
  }

  /** Unlike any other: what is forgotten must not be a later one of the same key. */
  #nameMember(id: string): Buffer {
    return Buffer.from(`${this.#token}${++this.#named}:${id}`, 'latin1');
  }

  /** The value that was to be copied has been read in the stream, and will be applied. */
  copied(id: string): void {
    const contest = this.contests.get(id);
    if (contest === undefined) return;
    contest.copying = false;
    contest.version++;
  }

  /** More writes are on their way than can be kept in mind. */
  forgotten(): void {
    this.#forgotten++;
    if (this.#forgotten === 1)
      this.report({
        code: 'CONFLICT',
        severity: 'error',
        message:
          'More keys were written while the other side was away than can be kept in mind: conflicts among them are not seen.',
        evidence: {},
      });
  }

  count(what: string, by: number): void {
    // Of both directions the first one: a sum over links counts each once.
    this.#spokesman?.onCount(what, by);
  }

  report(finding: LinkFinding): void {
    this.#spokesman?.onFinding(finding);
  }

  #contest(id: string, database: number, key: Buffer): Contest | undefined {
    if (this.contests.size >= CONTESTS_MAX) {
      this.incomplete = true;
      return undefined;
    }
    const contest: Contest = {
      id,
      database,
      key,
      version: 0,
      count: 0,
      writes: new Map(),
      copying: false,
      members: [],
      copies: 0,
      found: undefined,
    };
    this.contests.set(id, contest);
    return contest;
  }
}

export interface Member {
  side: ConflictSide;
  member: DeskMember;
}

/** `name:database:key` */
function readMember(member: Buffer): { database: number; key: Buffer } | undefined {
  const from = member.indexOf(':') + 1;
  const to = member.indexOf(':', from);
  const database = Number(member.toString('latin1', from, Math.max(to, from)));
  return from > 0 && to > from && Number.isInteger(database)
    ? { database, key: member.subarray(to + 1) }
    : undefined;
}
