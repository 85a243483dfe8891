/**
 * A link whose source is a cluster is one link per shard in the engine (`orders/0`, `orders/1` …). To everybody else it is one:
 * its state is that of the shard that is furthest behind, its counters are sums.
 */
import type { FromReplicator, LinkState, LinkStatus } from '../../engine/link/messages.ts';

/** So many shards a source may have; their names are known before the shards are. */
const PARTS_MAX = 64;

export function partId(link: string, number: number): string {
  return `${link}/${number}`;
}

/** Every name that a part of the link may have. */
export function possibleParts(link: string): string[] {
  return Array.from({ length: PARTS_MAX }, (_, number) => partId(link, number));
}

export function isPartOf(link: string, id: string): boolean {
  return id === link || id.startsWith(`${link}/`);
}

/** The first of these that a part is in is the link's. */
const PRECEDENCE: readonly LinkState[] = [
  'InitializeFailed',
  'Failed',
  'Retrying',
  'Suspending',
  'NotStarted',
  'Initializing',
  'Synchronizing',
  'Finished',
];

export function commonState(states: Iterable<LinkState>): LinkState {
  const all = new Set(states);
  return PRECEDENCE.find((state) => all.has(state)) ?? 'NotStarted';
}

/** One status of all parts; of a single one, itself. */
export function mergeStatuses(link: string, all: readonly LinkStatus[]): LinkStatus | undefined {
  const [first] = all;
  if (first === undefined || all.length === 1) return first;
  const sum = (of: (status: LinkStatus) => number): number =>
    all.reduce((total, each) => total + of(each), 0);
  const offset = (of: (status: LinkStatus) => string): string =>
    String(all.reduce((total, each) => total + BigInt(of(each)), 0n));
  const lags = all.flatMap(({ lagMs }) => (lagMs === null ? [] : [lagMs]));
  return {
    link,
    state: commonState(all.map(({ state }) => state)),
    waitingFor: Object.assign({}, ...all.map(({ waitingFor }) => waitingFor)),
    replid: first.replid,
    appliedOffset: offset((each) => each.appliedOffset),
    receivedOffset: offset((each) => each.receivedOffset),
    lagBytes: sum(({ lagBytes }) => lagBytes),
    lagMs: lags.length === 0 ? null : Math.max(...lags),
    lagSamples: all.flatMap(({ lagSamples }) => lagSamples),
    snapshot: {
      keys: sum(({ snapshot }) => snapshot.keys),
      bytes: sum(({ snapshot }) => snapshot.bytes),
      durationMs: Math.max(...all.map(({ snapshot }) => snapshot.durationMs)),
      done: all.every(({ snapshot }) => snapshot.done),
      expectedKeys: sum(({ snapshot }) => snapshot.expectedKeys),
      rebuilt: sum(({ snapshot }) => snapshot.rebuilt ?? 0),
    },
    stream: {
      commands: sum(({ stream }) => stream.commands),
      bytes: sum(({ stream }) => stream.bytes),
      transactions: sum(({ stream }) => stream.transactions),
    },
    fullResyncs: sum(({ fullResyncs }) => fullResyncs),
    partialResyncs: sum(({ partialResyncs }) => partialResyncs),
    retries: sum(({ retries }) => retries),
    deferred: sum(({ deferred }) => deferred ?? 0),
    unsettled: sum(({ unsettled }) => unsettled ?? 0),
    dropped: sumByName(all.map(({ dropped }) => dropped)),
    handled: sumByName(all.map(({ handled = {} }) => handled)),
    errors: sumByName(all.map(({ errors }) => errors)),
    log: { memoryBytes: sum(({ log }) => log.memoryBytes), diskBytes: sum(({ log }) => log.diskBytes) },
    rssBytes: sum(({ rssBytes }) => rssBytes),
    cpuSeconds: sum(({ cpuSeconds }) => cpuSeconds),
  };
}

/** Sums by name. */
export function sumByName(all: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const counts of all)
    for (const [name, count] of Object.entries(counts)) sums[name] = (sums[name] ?? 0) + count;
  return sums;
}

type SyncFinished = FromReplicator & { kind: 'sync-finished' };

/** Makes of the syncs of all parts those of the link: the n-th begins with the first part's n-th, ends with the last one's. */
export class PartSyncs {
  readonly #begun = new Map<string, number>();
  readonly #ended = new Map<string, SyncFinished[]>();

  /** Whether the link's own sync begins with this. */
  begins(part: string, mode: 'full' | 'partial'): boolean {
    const key = `${mode} ${part}`;
    const most = this.#most(mode);
    const now = (this.#begun.get(key) ?? 0) + 1;
    this.#begun.set(key, now);
    return now > most;
  }

  /** The end of the link's own sync, if it ends with this. @param parts all of the link. */
  ends(message: SyncFinished, parts: readonly string[]): SyncFinished | undefined {
    const key = (part: string): string => `${message.mode} ${part}`;
    const own = [...(this.#ended.get(key(message.link)) ?? []), message];
    this.#ended.set(key(message.link), own);
    const nth = parts.map((part) => this.#ended.get(key(part))?.[own.length - 1]);
    const all = nth.filter((each) => each !== undefined);
    if (all.length < parts.length) return undefined;
    return {
      ...message,
      keys: all.reduce((total, { keys }) => total + keys, 0),
      bytes: all.reduce((total, { bytes }) => total + bytes, 0),
      durationMs: Math.max(...all.map(({ durationMs }) => durationMs)),
    };
  }

  #most(mode: string): number {
    const counts = [...this.#begun].flatMap(([key, count]) => (key.startsWith(`${mode} `) ? [count] : []));
    return Math.max(0, ...counts);
  }
}
