/**
 * Reads suspects again until they are equal or have stayed different long enough to be believed.
 *
 * A key is reported when it differs in the last round *and* its source has not changed since the round before: a target
 * that lags behind a busy source differs at every look, which proves nothing. Such keys end as unverified, not as
 * different.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Difference } from '../difference.ts';
import { KeyList, type ListedKey } from '../key-list.ts';
import { COUNTED_EQUAL, LOOKED_DIFFERENT, type PassState } from '../pass-state.ts';
import type { Node } from '../server-facts.ts';
import { UnlistedDifferences } from '../unlisted.ts';
import { describeKey } from './describe.ts';
import { fingerprint } from './fingerprint.ts';
import { SideReader, type KeyState } from './key-state.ts';
import { comparePaged, type PagedResult } from './paged.ts';
import { judgeKey, type KeyVerdict } from './verdict.ts';

/** Keys asked about at once. */
const GROUP_KEYS = 256;
/** Most memory that the values read at once take on a server. */
const SLICE_BYTES = 4 * 1024 * 1024;
/** Keys looked at a second and third time; beyond it those stand for the others. */
const SURVIVORS_MAX = 50_000;

export interface RecheckInput {
  sources: readonly Node[];
  targets: readonly Node[];
  state: PassState;
  onRound: (round: number, read: number, suspects: number) => void;
}

export interface RecheckResult {
  /** Rounds made here, without the pass. */
  rounds: number;
  differences: Difference[];
}

/** @throws SyncError CONNECT, ABORTED. */
export async function recheckSuspects(input: RecheckInput): Promise<RecheckResult> {
  const { state } = input;
  const { settings } = state;
  if (state.suspects.size + state.big.size === 0) {
    state.unlisted.settle(state.tally, { keys: 0, settled: 0 });
    return { rounds: 0, differences: [] };
  }
  await using source = await SideReader.open('source', input.sources, settings);
  await using target = await SideReader.open('target', input.targets, settings);
  const recheck = new Recheck(input, source, target);
  let pending = [state.suspects, state.big];
  for (let round = 1; ; round++) {
    if (round > 1) await wait(settings.roundWaitMs * 3 ** (round - 2), settings.signal);
    const survivors = new KeyList(Infinity);
    await recheck.round(round, pending, survivors);
    // What the pass could not list is judged by the first look at what it could; what this look could not keep, by the
    // looks after it.
    if (round === 1) state.unlisted.settle(state.tally, recheck.takeLooks());
    if (survivors.size === 0 || round === settings.rounds) {
      recheck.unlisted.settle(state.tally, recheck.takeLooks());
      return { rounds: round, differences: recheck.differences };
    }
    pending = [survivors];
  }
}

async function wait(ms: number, signal: AbortSignal | undefined): Promise<void> {
  await delay(ms, undefined, signal ? { signal } : {});
}

class Recheck {
  readonly differences: Difference[] = [];
  readonly unlisted = new UnlistedDifferences();
  /** Looks at keys that had looked different, and how many of these looks found no difference any more. */
  #looks = { keys: 0, settled: 0 };
  readonly #input: RecheckInput;
  readonly #source: SideReader;
  readonly #target: SideReader;

  constructor(input: RecheckInput, source: SideReader, target: SideReader) {
    this.#input = input;
    this.#source = source;
    this.#target = target;
  }

  /** The looks since the last call. */
  takeLooks(): { keys: number; settled: number } {
    const looks = this.#looks;
    this.#looks = { keys: 0, settled: 0 };
    return looks;
  }

  /** Looks at every key of `lists`; what is still different goes to `survivors`, or is final in the last round. */
  async round(round: number, lists: readonly KeyList[], survivors: KeyList): Promise<void> {
    const { state, onRound } = this.#input;
    const total = lists.reduce((sum, list) => sum + list.size, 0);
    let read = 0;
    for (const list of lists) {
      for (const group of list.groups(GROUP_KEYS)) {
        state.settings.signal?.throwIfAborted();
        await this.#group(group, round, survivors);
        read += group.length;
        onRound(round, read, total);
      }
    }
  }

  async #group(group: readonly ListedKey[], round: number, survivors: KeyList): Promise<void> {
    const database = group[0]?.database ?? 0;
    const keys = group.map((listed) => listed.key);
    const [sources, targets] = await Promise.all([
      this.#source.readHeads(database, keys),
      this.#target.readHeads(database, keys),
    ]);
    const pairs = group.flatMap((listed, index): Pair[] => {
      const [source, target] = [sources[index], targets[index]];
      return source === undefined || target === undefined ? [] : [{ listed, source, target }];
    });
    for (const slice of slicesBySize(pairs)) await this.#slice(database, slice, round, survivors);
  }

  async #slice(database: number, slice: readonly Pair[], round: number, survivors: KeyList): Promise<void> {
    const keys = slice.map(({ listed }) => listed.key);
    const wanted = slice.map(needsValues);
    const [sources, targets] = await Promise.all([
      this.#source.readValues(
        database,
        keys,
        slice.map(({ source }) => source),
        wanted,
      ),
      this.#target.readValues(
        database,
        keys,
        slice.map(({ target }) => target),
        wanted,
      ),
    ]);
    for (const [index, { listed, source, target }] of slice.entries()) {
      const pair = { listed, source: sources[index] ?? source, target: targets[index] ?? target };
      await this.#key(pair, round, survivors);
    }
  }

  async #key({ listed, source, target }: Pair, round: number, survivors: KeyList): Promise<void> {
    const { state } = this.#input;
    const { tally, settings } = state;
    const lookedDifferent = (listed.tag & LOOKED_DIFFERENT) === 0 ? 0 : 1;
    this.#looks.keys += lookedDifferent;
    const counted = (listed.tag & COUNTED_EQUAL) !== 0;
    const paged = await readPaged(listed, source, target);
    const verdict = judgeKey(source, target, settings.ttlToleranceMs, pagedVerdict(paged));
    switch (verdict.kind) {
      case 'equal':
        if (!counted) tally.equal(listed.database, verdict.type);
        tally.transient += lookedDifferent;
        this.#looks.settled += lookedDifferent;
        break;
      case 'gone':
        tally.transient += lookedDifferent;
        this.#looks.settled += lookedDifferent;
        break;
      case 'expired-in-flight':
        tally.expiredInFlight++;
        this.#looks.settled += lookedDifferent;
        break;
      case 'unverified':
        if (round < settings.rounds) this.#keep(listed, source, survivors);
        else tally.unverifiedKey(verdict.reason);
        break;
      case 'different':
        if (round === settings.rounds) await this.#final(listed, source, target, { verdict, paged });
        else if (survivors.size < SURVIVORS_MAX) this.#keep(listed, source, survivors);
        else this.unlisted.add(listed.database, verdict.type, verdict.classes, counted);
        break;
      default:
        verdict satisfies never;
    }
  }

  #keep(listed: ListedKey, source: KeyState, survivors: KeyList): void {
    const { database, key, tag } = listed;
    survivors.add(database, key, 0, key.length, tag | LOOKED_DIFFERENT, fingerprint(source));
  }

  async #final(
    listed: ListedKey,
    source: KeyState,
    target: KeyState,
    found: { verdict: Extract<KeyVerdict, { kind: 'different' }>; paged: PagedResult | undefined },
  ): Promise<void> {
    const { state } = this.#input;
    const { database, key, fingerprint: before } = listed;
    if (before !== 0 && before !== fingerprint(source)) {
      state.tally.unverifiedKey('the source still changes the key');
      return;
    }
    const { type, classes } = found.verdict;
    if ((listed.tag & COUNTED_EQUAL) !== 0) state.tally.notEqual(database, type);
    state.tally.different(database, type, classes);
    const room = state.settings.maxDifferences - this.differences.length;
    if (room <= 0) return;
    const pagedDetail = found.paged !== undefined && 'detail' in found.paged ? found.paged.detail : undefined;
    const described = await describeKey({ database, key, classes, source, target, pagedDetail });
    this.differences.push(...described.slice(0, room));
  }
}

interface Pair {
  listed: ListedKey;
  source: KeyState;
  target: KeyState;
}

/** Whether the values decide: both there, of one type, and small enough to be had whole. */
function needsValues({ source, target }: Pair): boolean {
  if (source.kind !== 'present' || target.kind !== 'present') return false;
  return source.type === target.type && !source.big && !target.big;
}

/** Cuts where the values to be read would take too much memory. */
function* slicesBySize(pairs: readonly Pair[]): Generator<Pair[]> {
  let slice: Pair[] = [];
  let bytes = 0;
  for (const pair of pairs) {
    const size = needsValues(pair) && pair.source.kind === 'present' ? pair.source.memoryBytes : 0;
    if (bytes + size > SLICE_BYTES && slice.length > 0) {
      yield slice;
      slice = [];
      bytes = 0;
    }
    slice.push(pair);
    bytes += size;
  }
  if (slice.length > 0) yield slice;
}

/** Reads in pages when a side is too big for one reply and nothing else decides. */
async function readPaged(
  listed: ListedKey,
  source: KeyState,
  target: KeyState,
): Promise<PagedResult | undefined> {
  if (source.kind !== 'present' || target.kind !== 'present' || source.type !== target.type) return undefined;
  if (!source.big && !target.big) return undefined;
  await source.reader.select(listed.database);
  await target.reader.select(listed.database);
  return comparePaged(listed.key, source.type, source.reader, target.reader);
}

function pagedVerdict(paged: PagedResult | undefined): { equal: boolean } | { reason: string } | undefined {
  if (paged === undefined) return undefined;
  return 'reason' in paged ? paged : { equal: paged.detail === undefined };
}
