/** `data:` and `workload:` – what is in the source, and what clients do to it. */
import { DATA_TYPES } from '../../../scenarios/data/dataset.ts';
import { CLIENT_KINDS } from '../../../scenarios/workload/workload.ts';
import { FAMILY_NAMES } from '../../../scenarios/workload/families.ts';
import { DEFAULT_DATASET, DEFAULT_WORKLOAD } from '../../plan/defaults.ts';
import { formatDuration, formatShare } from '../quantities.ts';
import { closed, duration, into, name, size, text, whole, type JsonSchema } from './piece.ts';

const weight = (description: string): JsonSchema => ({ description, type: 'number', minimum: 0 });

const spread = (
  what: string,
  value: (description: string, more?: JsonSchema) => JsonSchema,
  defaults: object,
) =>
  closed(
    what,
    {
      median: value('Half of them are smaller than this.'),
      p99: value('99 of 100 are smaller than this; at least the median.'),
    },
    { default: defaults },
  );

const elements = (description: string, more?: JsonSchema) => whole(description, 1, more);

export const datasetSchema = closed('Keys that are there before the first link starts.', {
  into: into(
    'Instance or instances to fill. Several share the keys: each key is in one of them, of Codis groups in the one that has its slot. Default: every provisioned source.',
  ),
  database: whole('Database number.', 0, { default: DEFAULT_DATASET.database }),
  keys: whole('How many keys.', 0, { maximum: 1_000_000_000, default: DEFAULT_DATASET.keys }),
  types: closed(
    'Relative weights of the types; they need not sum up to 100.',
    Object.fromEntries(DATA_TYPES.map((type) => [type, weight(`Weight of ${type} keys.`)])),
    { minProperties: 1, default: DEFAULT_DATASET.types },
  ),
  prefix: text('Every key begins with it. Default: data-1:, data-2: and so on, by position.'),
  ttl: closed('Keys that expire.', {
    share: {
      description: 'Share of the keys that get a time to live.',
      type: 'string',
      quantity: 'share',
      pattern: '^[0-9]+(\\.[0-9]+)?%$',
      default: formatShare(DEFAULT_DATASET.ttl.share),
    },
    between: {
      description: 'Shortest and longest time to live, e.g. [10m, 2h].',
      type: 'array',
      items: duration('A time to live.', { atLeast: '1ms' }),
      minItems: 2,
      maxItems: 2,
      default: DEFAULT_DATASET.ttl.betweenMs.map(formatDuration),
    },
  }),
  values: spread('Size of a string value or of an element.', size, DEFAULT_DATASET.values),
  elements: spread('Number of elements of a collection.', elements, DEFAULT_DATASET.elements),
  corners: {
    description:
      'Add the fixed set of awkward keys and values: binary, empty, CRLF, inf, -0, 17 digits, every encoding.',
    type: 'boolean',
    default: DEFAULT_DATASET.corners,
  },
});

export const workloadSchema = closed(
  'Open-loop client traffic: the rate is kept even when the server is slow.',
  {
    name: name('Name of this workload in reports.', { default: DEFAULT_WORKLOAD.name }),
    into: into(
      'Instance or instances to write to. Several share the clients, and no two clients write the same key. Default: every provisioned source.',
    ),
    databases: {
      description: 'Database numbers to write to. Default: those that data fills.',
      type: 'array',
      items: { type: 'integer', minimum: 0 },
      minItems: 1,
      uniqueItems: true,
    },
    rate: {
      description: 'Commands per second over all clients, e.g. 2000/s.',
      type: 'string',
      quantity: 'rate',
      pattern: '^[0-9]+(\\.[0-9]+)?/(s|min)$',
      default: `${DEFAULT_WORKLOAD.ratePerSecond}/s`,
    },
    clients: whole('Connections that share the rate.', 1, {
      maximum: 1000,
      default: DEFAULT_WORKLOAD.clients,
    }),
    start: {
      description:
        'When it starts: with the full sync, or when the links are in sync. Default: full-sync; incremental when it writes to an instance that gets its data from another one.',
      type: 'string',
      enum: ['full-sync', 'incremental'],
    },
    mix: {
      description: `Relative weights of command families (${FAMILY_NAMES.join(', ')}) or single commands in lower case. Default: some of everything.`,
      type: 'object',
      additionalProperties: { type: 'number', minimum: 0 },
      propertyNames: { pattern: '^[a-z][a-z0-9-]*$', rule: 'a command family in lower case' },
      minProperties: 1,
    },
    keyspace: whole('Distinct keys per command family.', 1, {
      maximum: 100_000_000,
      default: DEFAULT_WORKLOAD.keyspace,
    }),
    prefix: text('Every key begins with it. Default: the name of the workload and a colon.'),
    client: {
      description:
        'direct = a client of the servers themselves; codis-proxy = only what a Codis proxy lets through, split by key where it would split.',
      type: 'string',
      enum: CLIENT_KINDS,
      default: DEFAULT_WORKLOAD.client,
    },
  },
);
