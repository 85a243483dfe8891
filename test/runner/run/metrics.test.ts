import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { LinkStatus } from '../../../engine/link/messages.ts';
import { LinkMonitor } from '../../../runner/run/link-monitor.ts';
import { describeMetrics, renderMetrics } from '../../../runner/run/metrics/exposition.ts';
import { METRICS } from '../../../runner/run/metrics/link-metrics.ts';

const STATUS: LinkStatus = {
  link: 'main',
  state: 'Synchronizing',
  waitingFor: {},
  replid: 'r',
  appliedOffset: '1000',
  receivedOffset: '1234',
  lagBytes: 234,
  lagMs: 1500,
  lagSamples: [],
  snapshot: { keys: 9, bytes: 90, durationMs: 5, done: true, expectedKeys: 10, rebuilt: 3 },
  stream: { commands: 7, bytes: 70, transactions: 1 },
  fullResyncs: 1,
  partialResyncs: 2,
  retries: 3,
  dropped: { publish: 4, 'a "quoted"\nreason\\': 1 },
  handled: { 'rewritten setnx': 6 },
  errors: { OOM: 5 },
  log: { memoryBytes: 48, diskBytes: 0 },
  rssBytes: 81_000_000,
  cpuSeconds: 0.25,
};

function monitor(id: string, status: Partial<LinkStatus> | undefined, target = 'dst'): LinkMonitor {
  const made = new LinkMonitor({ id, source: 'src', target });
  if (status === undefined) return made;
  made.observe({
    kind: 'link-state',
    link: id,
    from: 'NotStarted',
    to: status.state ?? STATUS.state,
    cause: '',
  });
  made.observe({ kind: 'status', links: [{ ...STATUS, ...status, link: id }] });
  return made;
}

function linesOf(text: string, name: string): string[] {
  return text.split('\n').filter((line) => line.startsWith(name));
}

describe('the text', () => {
  const text = renderMetrics(METRICS, [monitor('main', {})]);

  test('says of a link where it is, how far behind, and what it did', () => {
    const labels = '{link="main",source="src",target="dst"}';
    const expected = [
      `redis_sync_link_lag_bytes${labels} 234`,
      `redis_sync_link_lag_seconds${labels} 1.5`,
      `redis_sync_link_applied_offset${labels} 1000`,
      `redis_sync_link_received_offset${labels} 1234`,
      `redis_sync_link_snapshot_keys${labels} 9`,
      `redis_sync_link_snapshot_expected_keys${labels} 10`,
      `redis_sync_link_snapshot_bytes${labels} 90`,
      `redis_sync_link_snapshot_rebuilt_keys${labels} 3`,
      'redis_sync_link_handled_total{link="main",source="src",target="dst",treatment="rewritten setnx"} 6',
      `redis_sync_link_stream_commands_total${labels} 7`,
      `redis_sync_link_stream_bytes_total${labels} 70`,
      `redis_sync_link_stream_transactions_total${labels} 1`,
      `redis_sync_link_retries_total${labels} 3`,
      'redis_sync_link_resyncs_total{link="main",source="src",target="dst",kind="full"} 1',
      'redis_sync_link_resyncs_total{link="main",source="src",target="dst",kind="partial"} 2',
      'redis_sync_link_dropped_total{link="main",source="src",target="dst",reason="publish"} 4',
      'redis_sync_link_errors_total{link="main",source="src",target="dst",error="OOM"} 5',
      'redis_sync_replicator_log_memory_bytes{source="src"} 48',
      'redis_sync_replicator_log_disk_bytes{source="src"} 0',
      'redis_sync_replicator_resident_memory_peak_bytes{source="src"} 81000000',
      'redis_sync_replicator_cpu_seconds_total{source="src"} 0.25',
    ];
    expect(text.split('\n')).toEqual(expect.arrayContaining(expected));
  });

  test('is in exactly one state', () => {
    const states = linesOf(text, 'redis_sync_link_state{');
    expect(states).toHaveLength(8);
    expect(states.filter((line) => line.endsWith(' 1'))).toEqual([
      'redis_sync_link_state{link="main",source="src",target="dst",state="Synchronizing"} 1',
    ]);
  });

  test('escapes what a label cannot hold', () => {
    expect(text).toContain(String.raw`reason="a \"quoted\"\nreason\\"} 1`);
  });

  test('keeps to the exposition format, line by line', () => {
    expect(text.endsWith('\n')).toBe(true);
    const lines = text.trimEnd().split('\n');
    const odd = lines.filter(
      (line) =>
        !/^# HELP [a-z_]+ \S.*$/.test(line) &&
        !/^# TYPE [a-z_]+ (gauge|counter)$/.test(line) &&
        !/^[a-z_]+\{[a-z]+="(\\.|[^"\\])*"(,[a-z]+="(\\.|[^"\\])*")*\} -?\d+(\.\d+)?(e[+-]?\d+)?$/.test(line),
    );
    expect(odd).toEqual([]);
  });
});

test('what is not known has no sample', () => {
  const text = renderMetrics(METRICS, [
    monitor('fresh', {
      lagMs: null,
      appliedOffset: '-1',
      receivedOffset: '-1',
      snapshot: { keys: 0, bytes: 0, durationMs: 0, done: false, expectedKeys: 0 },
    }),
    monitor('silent', undefined),
  ]);
  for (const name of ['lag_seconds', 'applied_offset', 'received_offset', 'snapshot_expected_keys'])
    expect(linesOf(text, `redis_sync_link_${name}{`)).toEqual([]);
  expect(linesOf(text, 'redis_sync_link_lag_bytes{')).toHaveLength(1);
  expect(linesOf(text, 'redis_sync_link_state{link="silent"').filter((line) => line.endsWith(' 1'))).toEqual([
    'redis_sync_link_state{link="silent",source="src",target="dst",state="NotStarted"} 1',
  ]);
});

test('links of one source share a process, which is measured once', () => {
  const text = renderMetrics(METRICS, [monitor('a', {}), monitor('b', {}, 'other')]);
  expect(linesOf(text, 'redis_sync_replicator_cpu_seconds_total{')).toHaveLength(1);
  expect(linesOf(text, 'redis_sync_link_lag_bytes{')).toHaveLength(2);
});

test.each(METRICS.map((metric) => [metric.name, metric] as const))(
  '%s is named and explained',
  (name, metric) => {
    expect(name).toMatch(/^redis_sync_(link|replicator)_[a-z_]+$/);
    expect(name.endsWith('_total')).toBe(metric.type === 'counter');
    expect(metric.help).toMatch(/^[A-Z].*\.$/);
    const [sample] = metric.measure([monitor('main', {})]);
    expect(Object.keys(sample?.labels ?? {})).toEqual(metric.labels);
  },
);

test('names are given once', () => {
  expect(new Set(METRICS.map(({ name }) => name)).size).toBe(METRICS.length);
});

test('docs/metrics.md is what `npm run generate` writes', () => {
  const file = new URL('../../../docs/metrics.md', import.meta.url);
  expect(readFileSync(file, 'utf8')).toBe(describeMetrics(METRICS));
});
