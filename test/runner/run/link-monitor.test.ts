import { expect, test } from 'vitest';
import type { FromReplicator, LinkStatus } from '../../../engine/link/messages.ts';
import { LinkMonitor, describeSamples } from '../../../runner/run/link-monitor.ts';

const STATUS: LinkStatus = {
  link: 'l',
  state: 'Synchronizing',
  waitingFor: {},
  replid: 'r',
  appliedOffset: '18446744073709551615',
  receivedOffset: '18446744073709551615',
  lagBytes: 0,
  lagMs: 3,
  lagSamples: [3, 1],
  snapshot: { keys: 9, bytes: 90, durationMs: 5, done: true, expectedKeys: 9 },
  stream: { commands: 7, bytes: 70, transactions: 1 },
  fullResyncs: 1,
  partialResyncs: 2,
  retries: 3,
  dropped: { ping: 4 },
  errors: {},
  log: { memoryBytes: 0, diskBytes: 0 },
  rssBytes: 1000,
  cpuSeconds: 0.5,
};

/** A second passes before every message. */
function monitor(...messages: FromReplicator[]): LinkMonitor {
  let nowMs = 0;
  const made = new LinkMonitor({ id: 'l', source: 's', target: 't' }, () => nowMs);
  for (const message of messages) {
    nowMs += 1000;
    made.observe(message);
  }
  return made;
}

const state = (to: LinkStatus['state']): FromReplicator => ({
  kind: 'link-state',
  link: 'l',
  from: 'Initializing',
  to,
  cause: '',
});
const lag = (...lagSamples: number[]): FromReplicator => ({
  kind: 'status',
  links: [{ ...STATUS, lagSamples }],
});
const synced: FromReplicator = {
  kind: 'sync-finished',
  link: 'l',
  mode: 'full',
  keys: 9,
  bytes: 90,
  durationMs: 5.4,
};

test('the row of the report is the last status and what happened on the way', () => {
  const statuses: FromReplicator[] = [
    { kind: 'status', links: [{ ...STATUS, rssBytes: 5000 }] },
    {
      kind: 'status',
      links: [
        { ...STATUS, link: 'other', retries: 99 },
        { ...STATUS, lagSamples: [8] },
      ],
    },
  ];
  expect(monitor(synced, state('Synchronizing'), ...statuses, synced).result()).toMatchObject({
    state: 'Synchronizing',
    fullSync: { keys: 9, bytes: 90, durationMs: 5, count: 2 },
    fullResyncs: 1,
    partialResyncs: 2,
    retries: 3,
    peakRssBytes: 5000,
    lagMs: { p50: 3, max: 8, samples: 3 },
  });
});

test('what waited for a snapshot is not lag', () => {
  const first = monitor(lag(500), synced, lag(20_000, 1001, 900), lag(1800));
  expect(first.result().lagMs).toMatchObject({ samples: 2, max: 1800 });
  const again = monitor(synced, lag(100), synced, lag(5000, 200));
  expect(again.result().lagMs).toMatchObject({ samples: 2, max: 200 });
  expect(monitor(lag(1)).result().lagMs).toBeNull();
});

test('offsets are 64-bit', () => {
  expect(monitor({ kind: 'status', links: [STATUS] }).appliedOffset).toBe(18_446_744_073_709_551_615n);
  expect(monitor().appliedOffset).toBe(-1n);
});

test('a link that failed keeps its own reason when its process goes', () => {
  const failed = monitor(state('Failed'), {
    kind: 'link-failed',
    link: 'l',
    error: { code: 'POLICY', message: 'the source was flushed' },
  });
  failed.died({ code: 'INTERNAL', message: 'died' });
  expect(failed.failure?.message).toBe('the source was flushed');
});

test('a link that was finished by a process nobody told to stop has failed', () => {
  const finished = monitor(state('Finished'));
  finished.died({ code: 'INTERNAL', message: 'ended without being told to' });
  expect(finished).toMatchObject({ state: 'Failed', hasFailed: true });
});

test('percentiles are nearest ranks; of nothing there are none', () => {
  const samples = Array.from({ length: 100 }, (_, index) => 100 - index);
  expect(describeSamples(samples)).toEqual({ p50: 50, p95: 95, p99: 99, max: 100, samples: 100 });
  expect(describeSamples([7])).toEqual({ p50: 7, p95: 7, p99: 7, max: 7, samples: 1 });
  expect(describeSamples([])).toBeNull();
});
