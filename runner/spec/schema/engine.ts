/** `engine:` – who replicates, and the limits and policies of redis-sync's own replication. */
import { DEFAULT_ENGINE } from '../../plan/defaults.ts';
import { formatDuration, formatSize } from '../quantities.ts';
import { driverProperties } from './driver.ts';
import { closed, duration, size, text, whole } from './piece.ts';
import { policyProperties } from './policies.ts';

export const engineSchema = closed("Who replicates, and limits and policies of redis-sync's own engine.", {
  ...driverProperties,
  memory: size('Replication log kept in memory before it spills to disk.', {
    atLeast: '1mb',
    default: formatSize(DEFAULT_ENGINE.logMemoryBytes),
  }),
  disk: size('Replication log on disk before the link gives up.', {
    default: formatSize(DEFAULT_ENGINE.logDiskBytes),
  }),
  envelope: closed(
    'Largest transaction in which commands are applied. A transaction of the source is never cut.',
    {
      commands: whole('Most commands in one.', 1, {
        maximum: 100_000,
        default: DEFAULT_ENGINE.envelopeCommands,
      }),
      bytes: size('Most bytes in one.', {
        atLeast: '1kb',
        default: formatSize(DEFAULT_ENGINE.envelopeBytes),
      }),
    },
  ),
  heartbeat: {
    description: 'A key written to the source to measure how far behind a link is; off = measure bytes only.',
    oneOf: [
      {
        description: 'Write no heartbeat.',
        type: 'string',
        const: 'off',
        rule: 'off, or { interval: 1s, prefix: TEXT }',
      },
      closed('When and where the heartbeat is written.', {
        interval: duration('Time between two heartbeats.', {
          atLeast: '100ms',
          default: formatDuration(DEFAULT_ENGINE.heartbeatMs),
        }),
        prefix: text('The heartbeat key begins with it.', { default: DEFAULT_ENGINE.heartbeatPrefix }),
      }),
    ],
  },
  ...policyProperties,
  expiry: closed(
    'How keys with an expiry are kept while the target is behind its source. The source alone decides when they end: deadlines that are near are written later until it has had its last word.',
    {
      grace: duration('How much later a near deadline is written.', {
        atLeast: '1m',
        default: formatDuration(DEFAULT_ENGINE.expiry.graceMs),
      }),
      guard: duration(
        'Deadlines closer than this are near while the link keeps up: how long it may stand still before the target can expire a key too early.',
        { atLeast: '100ms', default: formatDuration(DEFAULT_ENGINE.expiry.guardMs) },
      ),
      importMode: {
        description:
          'Import mode of a Valkey target (8.1), in which it expires nothing by itself: use = where it is switched on; set = switch it on until the cutover.',
        type: 'string',
        enum: ['use', 'set'],
        default: DEFAULT_ENGINE.expiry.importMode,
      },
    },
  ),
  retry: duration('How long to keep trying after a lost connection.', {
    default: formatDuration(DEFAULT_ENGINE.retryMs),
  }),
  idleTimeout: duration('Give up on a silent peer after this long.', {
    atLeast: '1s',
    default: formatDuration(DEFAULT_ENGINE.idleTimeoutMs),
  }),
});
