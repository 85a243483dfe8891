/** Everything `redis-sync run --metrics-port` measures, in the order in which it is shown and documented. */
import type { LinkState, LinkStatus } from '../../../engine/link/messages.ts';
import type { LinkMonitor } from '../link-monitor.ts';
import type { Metric, Sample } from './metric.ts';

const STATES: Readonly<Record<LinkState, true>> = {
  NotStarted: true,
  Initializing: true,
  InitializeFailed: true,
  Synchronizing: true,
  Retrying: true,
  Suspending: true,
  Failed: true,
  Finished: true,
};

const LINK_LABELS = ['link', 'source', 'target'];

export const METRICS: readonly Metric[] = [
  {
    name: 'redis_sync_link_state',
    type: 'gauge',
    help: 'State of the link: 1 for the one it is in, 0 for the others.',
    labels: [...LINK_LABELS, 'state'],
    measure: (monitors) =>
      monitors.flatMap((monitor) =>
        Object.keys(STATES).map((state) => ({
          labels: { ...labelsOf(monitor), state },
          value: monitor.state === state ? 1 : 0,
        })),
      ),
  },
  gauge(
    'lag_bytes',
    'Bytes of the source’s stream that are received and not applied yet.',
    (status) => status.lagBytes,
  ),
  gauge(
    'lag_seconds',
    'How old the newest heartbeat was when it was applied. Absent while unknown.',
    ({ lagMs }) => (lagMs === null ? undefined : lagMs / 1000),
  ),
  gauge(
    'applied_offset',
    'Replication offset of the source up to which everything is on the target.',
    (status) => offset(status.appliedOffset),
  ),
  gauge(
    'received_offset',
    'Replication offset of the source up to which its stream was received.',
    (status) => offset(status.receivedOffset),
  ),
  gauge(
    'snapshot_keys',
    'Keys of the newest full sync that are on the target.',
    ({ snapshot }) => snapshot.keys,
  ),
  gauge(
    'snapshot_expected_keys',
    'Keys the newest snapshot announced. Absent while unknown.',
    ({ snapshot }) => (snapshot.expectedKeys === 0 ? undefined : snapshot.expectedKeys),
  ),
  gauge(
    'snapshot_rebuilt_keys',
    'Keys of the newest full sync that were sent as commands, not as payloads.',
    ({ snapshot }) => snapshot.rebuilt,
  ),
  gauge(
    'snapshot_bytes',
    'Bytes of the newest full sync that were applied.',
    ({ snapshot }) => snapshot.bytes,
  ),
  counter(
    'stream_commands_total',
    'Commands of the stream that were applied.',
    ({ stream }) => stream.commands,
  ),
  counter('stream_bytes_total', 'Bytes of the stream that were read.', ({ stream }) => stream.bytes),
  counter(
    'stream_transactions_total',
    'Transactions of the source that were applied.',
    ({ stream }) => stream.transactions,
  ),
  counter(
    'retries_total',
    'Attempts that failed and were repeated, at the source and at the target.',
    ({ retries }) => retries,
  ),
  {
    name: 'redis_sync_link_resyncs_total',
    type: 'counter',
    help: 'Synchronizations with the source that were finished: full copies, and streams that were continued.',
    labels: [...LINK_LABELS, 'kind'],
    measure: (monitors) =>
      each(monitors, (status, labels) => [
        { labels: { ...labels, kind: 'full' }, value: status.fullResyncs },
        { labels: { ...labels, kind: 'partial' }, value: status.partialResyncs },
      ]),
  },
  perName(
    'dropped_total',
    'Commands of the stream that are not for the target, by reason.',
    'reason',
    (status) => status.dropped,
  ),
  perName(
    'handled_total',
    'Commands of the stream that were not simply forwarded, by what was done about them.',
    'treatment',
    (status) => status.handled ?? {},
  ),
  perName(
    'errors_total',
    'Error replies of the target, by their first word.',
    'error',
    (status) => status.errors,
  ),
  perReplicator(
    'log_memory_bytes',
    'gauge',
    'Bytes of the replication log in memory.',
    ({ log }) => log.memoryBytes,
  ),
  perReplicator(
    'log_disk_bytes',
    'gauge',
    'Bytes of the replication log on disk.',
    ({ log }) => log.diskBytes,
  ),
  perReplicator(
    'resident_memory_peak_bytes',
    'gauge',
    'Most memory the replicator process has had.',
    ({ rssBytes }) => rssBytes,
  ),
  perReplicator(
    'cpu_seconds_total',
    'counter',
    'Processor time of the replicator process.',
    ({ cpuSeconds }) => cpuSeconds,
  ),
];

function gauge(name: string, help: string, read: (status: LinkStatus) => number | undefined): Metric {
  return perLink('gauge', name, help, read);
}

function counter(name: string, help: string, read: (status: LinkStatus) => number | undefined): Metric {
  return perLink('counter', name, help, read);
}

function perLink(
  type: Metric['type'],
  name: string,
  help: string,
  read: (status: LinkStatus) => number | undefined,
): Metric {
  return {
    name: `redis_sync_link_${name}`,
    type,
    help,
    labels: LINK_LABELS,
    measure: (monitors) =>
      each(monitors, (status, labels) => {
        const value = read(status);
        return value === undefined ? [] : [{ labels, value }];
      }),
  };
}

function perName(
  name: string,
  help: string,
  label: string,
  read: (status: LinkStatus) => Readonly<Record<string, number>>,
): Metric {
  return {
    name: `redis_sync_link_${name}`,
    type: 'counter',
    help,
    labels: [...LINK_LABELS, label],
    measure: (monitors) =>
      each(monitors, (status, labels) =>
        Object.entries(read(status)).map(([key, value]) => ({ labels: { ...labels, [label]: key }, value })),
      ),
  };
}

/** The links of one source share a process and its log: one sample for all of them. */
function perReplicator(
  name: string,
  type: Metric['type'],
  help: string,
  read: (status: LinkStatus) => number,
): Metric {
  return {
    name: `redis_sync_replicator_${name}`,
    type,
    help,
    labels: ['source'],
    measure: (monitors) => {
      const bySource = new Map(monitors.map((monitor) => [monitor.plan.source, monitor]));
      return each([...bySource.values()], (status, { source = '' }) => [
        { labels: { source }, value: read(status) },
      ]);
    },
  };
}

/** Of links that have not said anything yet there is nothing to measure. */
function each(
  monitors: readonly LinkMonitor[],
  samplesOf: (status: LinkStatus, labels: Readonly<Record<string, string>>) => Sample[],
): Sample[] {
  return monitors.flatMap((monitor) =>
    monitor.status === undefined ? [] : samplesOf(monitor.status, labelsOf(monitor)),
  );
}

function labelsOf({ plan }: LinkMonitor): Record<string, string> {
  return { link: plan.id, source: plan.source, target: plan.target };
}

/** An offset is -1 before there is one. Beyond 2^53 (nine petabytes) it loses its last digits, as every float64. */
function offset(text: string): number | undefined {
  const value = Number(text);
  return value < 0 ? undefined : value;
}
