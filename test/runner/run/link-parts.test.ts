/** A link of a cluster source is several in the engine, and one to everybody else. */
import { expect, test } from 'vitest';
import type { FromReplicator, LinkState, LinkStatus } from '../../../engine/link/messages.ts';
import { LinkMonitor } from '../../../runner/run/link-monitor.ts';
import { partId, possibleParts } from '../../../runner/run/link-parts.ts';

const PARTS = [partId('l', 0), partId('l', 1)] as const;

function statusOf(link: string, applied: number, deferred = 0): LinkStatus {
  return {
    link,
    state: 'Synchronizing',
    waitingFor: {},
    replid: 'r',
    appliedOffset: String(applied),
    receivedOffset: String(applied + 5),
    lagBytes: 5,
    lagMs: applied,
    lagSamples: [],
    snapshot: { keys: 10, bytes: 100, durationMs: applied, done: true, expectedKeys: 10 },
    stream: { commands: 3, bytes: 30, transactions: 1 },
    fullResyncs: 1,
    partialResyncs: 0,
    retries: 0,
    deferred,
    dropped: { heartbeat: 1 },
    errors: {},
    log: { memoryBytes: 1, diskBytes: 0 },
    rssBytes: 1000,
    cpuSeconds: 1,
  };
}

const becomes = (link: string, to: LinkState): FromReplicator => ({
  kind: 'link-state',
  link,
  from: 'NotStarted',
  to,
  cause: 'c',
  replid: 'r',
  offset: '7',
});
const started = (link: string): FromReplicator => ({
  kind: 'sync-started',
  link,
  mode: 'full',
  replid: 'r',
  offset: '7',
  cause: 'c',
});
const finished = (link: string, keys: number): FromReplicator => ({
  kind: 'sync-finished',
  link,
  mode: 'full',
  keys,
  bytes: keys * 10,
  durationMs: keys,
});

function monitor(): LinkMonitor {
  const made = new LinkMonitor({ id: 'l', source: 's', target: 't' });
  made.consistOf(PARTS);
  return made;
}

test('its state is that of the part that is furthest behind, and is told when it changes', () => {
  const link = monitor();
  const told = [
    becomes(PARTS[0], 'Initializing'),
    becomes(PARTS[1], 'Initializing'),
    becomes(PARTS[0], 'Synchronizing'),
    becomes(PARTS[1], 'Synchronizing'),
    becomes(PARTS[1], 'Retrying'),
    becomes(PARTS[0], 'Failed'),
  ].map((message) => link.observe(message));
  expect(
    told.map((message) => (message?.kind === 'link-state' ? `${message.from} ${message.to}` : null)),
  ).toEqual([
    null,
    'NotStarted Initializing',
    null,
    'Initializing Synchronizing',
    'Synchronizing Retrying',
    'Retrying Failed',
  ]);
  expect(told.at(-1)).toEqual({ kind: 'link-state', link: 'l', from: 'Retrying', to: 'Failed', cause: 'c' });
});

test('a full sync begins with the first part and ends with the last; one of a part alone is seen too', () => {
  const link = monitor();
  for (const part of PARTS) link.observe(becomes(part, 'Initializing'));
  const told = [
    started(PARTS[0]),
    started(PARTS[1]),
    finished(PARTS[1], 4),
    finished(PARTS[0], 6),
    started(PARTS[1]),
  ].map((message) => link.observe(message));
  expect(told).toEqual([
    { ...started('l') },
    undefined,
    undefined,
    { ...finished('l', 10), durationMs: 6 },
    { ...started('l') },
  ]);
  expect(link.result().fullSync).toMatchObject({ keys: 10, bytes: 100, durationMs: 6, count: 1 });
});

test('its counters are sums, and each part can be asked', () => {
  const link = monitor();
  link.observe({ kind: 'status', links: [statusOf(PARTS[0], 100)] });
  link.observe({ kind: 'status', links: [statusOf(PARTS[1], 40, 2)] });
  link.observe({ kind: 'status', links: [statusOf('other/0', 1000)] });
  expect(link.status).toMatchObject({
    link: 'l',
    appliedOffset: '140',
    receivedOffset: '150',
    lagBytes: 10,
    lagMs: 100,
    deferred: 2,
    snapshot: { keys: 20, durationMs: 100, done: true },
    stream: { commands: 6, bytes: 60, transactions: 2 },
    dropped: { heartbeat: 2 },
  });
  expect(link.partStatus(PARTS[1])?.appliedOffset).toBe('40');
  expect(possibleParts('l')).toContain(PARTS[1]);
});
