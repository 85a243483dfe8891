/**
 * Where the links of a circle meet (both directions of a pair, a ring): which keys several sides wrote without having seen each
 * other's write, and what is done about it. Everything is applied on all sides as it comes; so after a conflict the values
 * are exchanged, or mixed. When all have everything, the value of one side is copied to the others (conflict-resolver.ts).
 *
 *   written ──▶ contested ──all sides have all──▶ equal? ─yes─▶ settled
 *                  ▲                                 └─no──▶ copied, in order with the streams ──┐
 *                  └─────────────────────────────────────────────────────────────────────────────┘
 *
 * Why all sides end equal: each of them has one link that brings it everything, in order; so of two writes one of which had
 * seen the other, all sides apply that one later, and only writes that had not seen each other can stand in different orders.
 * Those make the key contested. A copy is a write of its side like any other: when nothing crosses it, it is the last one on
 * all of them; when something does, the key is contested again.
 *
 * Which side's value: the newest write w, made on side N, goes round to the side before N last. Whatever had not seen w was
 * written on its way before w came there, or before it at all: so on the side before N (of a pair: the other one) w is
 * applied last. On N something older may have been applied over it.
 */
import { randomBytes } from 'node:crypto';
import type { Whereabouts } from '../../connect/discovery.ts';
import type { LinkFinding } from '../../apply/finding.ts';
import { ConflictSide, idOf, type LocalWrite } from './conflict-side.ts';

/**
 *   overwrite         nothing is done: each side keeps what it applied last, and they may differ (what managed services do)
 *   last-write-wins   the newest write wins, by our clock
 *   source-priority   the write of the side that is named first wins
 */
export type ConflictPolicy = 'overwrite' | 'last-write-wins' | 'source-priority';

/** Contested keys in memory; what comes beyond is kept on the targets only, and fetched when there is room. */
const CONTESTS_MAX = 50_000;

export interface DeskMember {
  /** The instance that the link reads. */
  source: string;
  /** The link that reads it. */
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
  /** The newest write of a client to it, conflicting or not. */
  newest: LocalWrite | undefined;
  /** The value was put into a stream and is on its way. */
  copying: boolean;
  /** As the targets keep it, in sets. */
  members: Buffer[];
  copies: number;
  /** As they were found first, by the side's name: what each side had after the exchange. */
  found: Map<string, string> | undefined;
  /** Known from before a restart: by whom and when the key was written is not. */
  reopened: boolean;
  /** All sides had the same, unless something was under way that nobody has read yet. */
  equal: Equality | undefined;
}

export interface Equality {
  version: number;
  /** Where each side's stream has to be read to, by the side's name, for that to be known. */
  offsets: ReadonlyMap<string, bigint>;
}

export class ConflictDesk {
  readonly contests = new Map<string, Contest>();
  /** Names of the sides as the circle goes: each is the source of a link to the next, the last one of one to the first. */
  readonly order: readonly string[];
  readonly #sides = new Map<string, Member>();
  /** As `order` names them; complete or empty. */
  #circle: readonly ConflictSide[] = [];
  readonly #left = new WeakSet<ConflictSide>();
  /** There are contested keys on the targets that memory does not hold. */
  incomplete = true;
  #forgotten = 0;
  /** The policy makes both sides equal. */
  readonly resolves: boolean;
  readonly #token = `${randomBytes(6).toString('hex')}-`;
  #named = 0;
  /** Speaks for all links, also at the end when all have left. */
  #spokesman: DeskMember | undefined;

  /**
   * @param order of the sides' names.
   * @param resolves whether the policy makes them equal.
   */
  constructor(order: readonly string[], resolves: boolean) {
    this.order = order;
    this.resolves = resolves;
  }

  /** A link begins, or begins again. */
  join(member: DeskMember): ConflictSide {
    const { source, link, heartbeatMs, heartbeatPrefix } = member;
    const stages = this.order.length - 1;
    const side = new ConflictSide(this, { name: source, link, heartbeatMs, heartbeatPrefix, stages });
    this.#sides.set(source, { side, member });
    this.#spokesman ??= member;
    this.incomplete = true;
    const sides = this.order.flatMap((name) => this.#sides.get(name)?.side ?? []);
    for (const each of sides) each.rememberEarly();
    this.#circle = sides.length === this.order.length ? sides : [];
    return side;
  }

  /** A link ends. What it knows of is still of use to the others. */
  leave(side: ConflictSide): void {
    this.#left.add(side);
  }

  /** All links in the circle's order, when all streams are read. */
  get members(): readonly Member[] | undefined {
    const members = this.order.flatMap((name) => this.#sides.get(name) ?? []);
    const areThere = members.every(({ side }) => side.isRead && !this.#left.has(side));
    return areThere && members.length === this.order.length ? members : undefined;
  }

  /** All sides have been heard of, in the circle's order: what is written is told of to all. Empty before. */
  get circle(): readonly ConflictSide[] {
    return this.#circle.every(({ isRead }) => isRead) ? this.#circle : [];
  }

  /** All that have joined, in no order. */
  get sides(): ConflictSide[] {
    return [...this.#sides.values()].map(({ side }) => side);
  }

  /** The side whose link writes to this one. */
  before(side: ConflictSide): ConflictSide | undefined {
    const at = this.#circle.indexOf(side);
    return at < 0 ? undefined : this.#circle.at(at - 1);
  }

  /** Links on the way from one to the other. */
  distance(from: ConflictSide, to: ConflictSide): number {
    const count = this.order.length;
    return (this.order.indexOf(to.options.name) - this.order.indexOf(from.options.name) + count) % count;
  }

  /** A write to the key is on its way to some side. */
  hasUnseen(id: string): boolean {
    return this.sides.some((side) => side.hasUnseen(id));
  }

  /** The key was written to, by a client if that is known: what a server said of it before is out of date. */
  touch(id: string, write?: LocalWrite): void {
    const contest = this.contests.get(id);
    if (contest === undefined) return;
    contest.version++;
    if (write !== undefined) contest.newest = newerOf(contest.newest, write);
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

  /** A target refused a command at these keys. True when that may come of a conflict, and will be put right. */
  refused(places: readonly KeyPlace[]): boolean {
    if (!this.resolves || this.members === undefined) return false;
    for (const place of places) this.suspect(place);
    this.count('conflicts refused', 1);
    return true;
  }

  /**
   * @param crossed whose write it was; undefined when nobody has told.
   * @returns what is to be kept in mind on the target: undefined when the key was contested before.
   */
  collided(
    { id, key, database }: KeyPlace,
    [side, write]: [ConflictSide, LocalWrite],
    crossed: [ConflictSide, LocalWrite] | undefined,
  ): Buffer | undefined {
    const known = this.contests.get(id);
    const contest = known ?? this.#contest(id, database, key);
    // No room: it will be fetched.
    if (contest === undefined) return this.#nameMember(id);
    const member = known === undefined ? this.#nameMember(id) : undefined;
    if (member !== undefined) contest.members.push(member);
    contest.version++;
    contest.newest = newerOf(contest.newest, write);
    contest.writes.set(side.options.name, write);
    // Seen by what was applied, and by what was told before: once is enough.
    if (crossed === undefined && known !== undefined) return member;
    if (crossed !== undefined) {
      const [other, theirs] = crossed;
      // A copy of ours is nobody's write: the other side's was overtaken by it, that is all.
      if (theirs.kind === 'copy') return member;
      contest.writes.set(other.options.name, theirs);
    }
    contest.count++;
    this.count('conflicts', 1);
    return member;
  }

  /** One that is known from before, as a target kept it: it says neither when nor by whom the key was written. */
  reopen(member: Buffer): void {
    const place = readMember(member);
    if (place === undefined) return;
    const id = idOf(place.database, place.key);
    const known = this.contests.get(id);
    const contest = known ?? this.#contest(id, place.database, place.key);
    contest?.members.push(member);
    if (contest !== undefined && known === undefined) contest.reopened = true;
  }

  /** Unlike any other: what is forgotten must not be a later one of the same key. */
  #nameMember(id: string): Buffer {
    return Buffer.from(`${this.#token}${++this.#named}:${id}`, 'latin1');
  }

  /** The value that was to be copied has been read in the stream of its side, and will be applied. */
  copied(id: string, side: ConflictSide): void {
    const contest = this.contests.get(id);
    if (contest === undefined) return;
    contest.copying = false;
    contest.version++;
    for (const other of this.circle) {
      const theirs = other === side ? undefined : other.unseenBy(side, id);
      if (theirs !== undefined && theirs.kind !== 'copy') contest.writes.set(other.options.name, theirs);
    }
  }

  /** A stream is read from another place: a value that was put into it before may never come. */
  copyAnew(): void {
    for (const contest of this.contests.values()) {
      contest.copying = false;
      contest.version++;
    }
  }

  /** More writes are on their way than can be kept in mind. */
  forgotten(): void {
    this.#forgotten++;
    if (this.#forgotten === 1)
      this.report({
        code: 'CONFLICT',
        severity: 'error',
        message:
          'More keys were written while another side was away than can be kept in mind: conflicts among them are not seen.',
        evidence: {},
      });
  }

  count(what: string, by: number): void {
    // Of all links the first one: a sum over links counts each once.
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
      newest: undefined,
      copying: false,
      members: [],
      copies: 0,
      found: undefined,
      reopened: false,
      equal: undefined,
    };
    this.contests.set(id, contest);
    return contest;
  }
}

export interface Member {
  side: ConflictSide;
  member: DeskMember;
}

function newerOf(known: LocalWrite | undefined, write: LocalWrite): LocalWrite {
  return known !== undefined && known.atMs > write.atMs ? known : write;
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
