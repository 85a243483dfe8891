/**
 * The policies of `engine:`: what each value means, which one the vendors' services have, what the report shows. The schema
 * is made from this table, and docs/policies.md too (`npm run generate`).
 */
import { DEFAULT_DURABILITY_TIMEOUT_MS, DEFAULT_ENGINE } from '../../plan/defaults.ts';
import { formatDuration } from '../quantities.ts';
import { closed, duration, whole, type JsonSchema } from './piece.ts';

export interface PolicyDefinition {
  /** What it is about, as a sentence that the values continue. */
  question: string;
  /** Each value, the safest first, and what it does. */
  values: Readonly<Record<string, string>>;
  default: string;
  /** What the documentation of the managed services says theirs does. */
  vendor: string;
  /** What of it stands in the report. */
  shows: string;
  /** Instead of one of the values as a word. */
  schema?: JsonSchema;
}

export const POLICIES: Readonly<Record<string, PolicyDefinition>> = {
  flush: {
    question: 'What to do when the source is flushed (FLUSHALL, FLUSHDB)',
    values: {
      fail: 'stop the link',
      propagate: 'flush the target too, if all data on it is the link’s',
      ignore: 'leave it out: the target keeps its keys',
    },
    default: DEFAULT_ENGINE.flush,
    vendor: '`ignore`: "do not run FLUSHALL or FLUSHDB on the source; data becomes inconsistent"',
    shows:
      'Finding `FLUSH` with database, offset and time; keys left behind are `EXTRA_KEY` and name it as their cause',
  },
  swapdb: {
    question: 'What to do when the source swaps two databases (SWAPDB)',
    values: {
      propagate: 'swap them on the target too, if all data on it is the link’s',
      fail: 'stop the link',
    },
    default: DEFAULT_ENGINE.swapdb,
    vendor: '`propagate` (not to a cluster)',
    shows: '`swapdb` among what was handled; finding `UNSUPPORTED_COMMAND` where it stops the link',
  },
  publish: {
    question: 'What to do with messages (PUBLISH, SPUBLISH); those of Sentinel are always dropped',
    values: {
      drop: 'leave them out',
      forward: 'publish them on the target too',
    },
    default: DEFAULT_ENGINE.publish,
    vendor: '`drop`: "PUBLISH is not supported"',
    shows: '`publish` among what was not applied, or among what was handled',
  },
  scripts: {
    question:
      'What to do with scripts that an old source sends as text (EVAL, EVALSHA) instead of their effects',
    values: {
      apply: 'run them on the target, and name them and their keys',
      fail: 'stop the link',
    },
    default: DEFAULT_ENGINE.scripts,
    vendor: '`apply`: "success cannot be guaranteed"',
    shows:
      'Finding `SCRIPT_UNVERIFIED` per script with its SHA1, runs, declared keys, error replies, and whether the comparison found these keys equal',
  },
  unsupported: {
    question: 'What to do with a command that has no form the target takes',
    values: {
      fail: 'stop the link before it',
      skip: 'leave it out and go on',
    },
    default: DEFAULT_ENGINE.unsupported,
    vendor: 'undocumented',
    shows:
      'Finding `UNSUPPORTED_COMMAND` per command name with how many were left out and their keys (up to 20); `unsupported` among what was not applied',
  },
  oom: {
    question: 'What to do when the target is out of memory',
    values: {
      wait: 'try the same again in order until it has memory or the retry time is over',
      fail: 'stop the link at once; it can be resumed',
    },
    default: DEFAULT_ENGINE.oom,
    vendor: '`fail`: the task stops, nothing is lost',
    shows: 'Finding `OOM` with shard, command and position; `retried OOM` among what was handled',
  },
  eviction: {
    question: 'What to do when the target evicts keys to stay below its maxmemory',
    values: {
      report: 'go on',
      fail: 'stop the link',
    },
    default: DEFAULT_ENGINE.eviction,
    vendor: '`report`: "the task continues"',
    shows:
      'Finding `EVICTION` with the number of keys and the policy; missing keys name it as their possible cause. A `maxmemory` or `maxmemory-policy` that changes meanwhile is a `CONFIG_DRIFT`',
  },
  foreignWrites: {
    question:
      'What to do about writes of others to the target, seen in its own replication stream, or in that of each shard of a cluster',
    values: {
      auto: 'report on targets that are provisioned or disposable, ignore on others',
      report: 'go on',
      fail: 'stop the link',
      ignore: 'do not look',
    },
    default: DEFAULT_ENGINE.foreignWrites,
    vendor: '`ignore`: "do not write to the target"',
    shows:
      'Finding `FOREIGN_WRITE` with how many there were, and of the first 20 command, key, database, and which clients may have sent it',
  },
  durability: {
    question: 'When the source is told that a write is on the target',
    values: {
      none: 'when the target has it',
      '{ replicas: n, timeout: 1s }':
        'when n replicas of the target, or of each shard of a cluster, have it; a wait for them that takes longer than the timeout is reported',
    },
    default: 'none',
    vendor: '`none`: a failover of the target may lose data',
    shows:
      'The durable offset in the link’s status; finding `LAG` when the replicas do not follow; finding `NOT_DURABLE` with the first lost position when a failover lost writes',
    schema: {
      description:
        'When the source is told that a write is on the target: none = when the target has it, or when replicas of the target have it.',
      oneOf: [
        {
          description: 'When the target has it.',
          type: 'string',
          const: 'none',
          rule: 'none, or { replicas: 1, timeout: 1s }',
        },
        closed(
          'When replicas of the target have it (WAIT).',
          {
            replicas: whole('How many replicas.', 1, { maximum: 100 }),
            timeout: duration('A wait for them that takes longer is reported, and tried again.', {
              atLeast: '10ms',
              default: formatDuration(DEFAULT_DURABILITY_TIMEOUT_MS),
            }),
          },
          { required: ['replicas'] },
        ),
      ],
    },
  },
  existing: {
    question: 'What to do with data that is on the target when a link begins',
    values: {
      fail: 'touch nothing and stop',
      overwrite: 'make the target what the source is: what the source does not have is deleted',
      merge: 'overwrite keys of the same name, leave the others',
    },
    default: DEFAULT_ENGINE.existing,
    vendor: '`fail` ("Precheck and Report Errors") or `merge` ("Ignore Errors and Proceed")',
    shows:
      'Precheck `destination.empty`; finding `EXISTING_KEYS` with the number of keys overwritten and removed and samples of their types; `overwritten` among what was handled',
  },
  conflict: {
    question:
      'What to do when several members of a two-way pair or a ring write the same key at once (with a cluster among them only `overwrite`: no process sees all its shards)',
    values: {
      overwrite: 'apply all as they come: each keeps what reached it last, and they may differ',
      'last-write-wins':
        'the newest write wins everywhere, by the clock of redis-sync and the way of its heartbeats',
      'source-priority':
        'the write of the pair’s source wins; in a ring that of the member that is named first',
    },
    default: DEFAULT_ENGINE.conflict,
    vendor:
      '`overwrite`: "the record in the destination is overwritten"; it does not converge when writes cross',
    shows:
      'Finding `CONFLICT`: how many, and of the first 20 all values, their times with how wrong these may be, the winner and the rule; every one in conflicts.ndjson of the run',
  },
  fullResync: {
    question: 'What to do when the source makes a link copy everything again',
    values: {
      reconcile:
        'copy it, then delete what the source does not have; in a pair or a ring with a conflict rule: stop, for a snapshot does not tell which of its values win; to a cluster in a pair or a ring, whatever the policy: stop, for its readers could not tell the snapshot from fresh writes',
      reload: 'copy it and delete nothing',
      fail: 'stop before the target is touched',
    },
    default: DEFAULT_ENGINE.fullResync,
    vendor: '`reload`: keys that are gone from the source stay on the target',
    shows: 'Finding `FULL_RESYNC` with the cause and the number of keys removed',
  },
  crossSlot: {
    question: 'What to do with a command whose keys are in several slots of a cluster target',
    values: {
      fail: 'stop the link before it',
      split: 'apply DEL, UNLINK, MSET and their like slot by slot, stop before others',
      refetch: 'as split, and read the keys that others write from the source again',
    },
    default: DEFAULT_ENGINE.crossSlot,
    vendor: '`fail`: "CROSSSLOT Keys in request don\'t hash to the same slot"',
    shows: 'Finding `CROSSSLOT` with command, keys and slots; atomicity that was lost is said there',
  },
  topologyChange: {
    question: 'What to do when slots move between the shards of a source cluster',
    values: {
      follow:
        'go on with their new owner; a target that is no cluster cannot, and in a pair or a ring the link then stops before anything of them is applied',
      fail: 'stop the link',
    },
    default: DEFAULT_ENGINE.topologyChange,
    vendor: '`fail`: the task has to be configured anew',
    shows: 'Finding `TOPOLOGY_CHANGED` with the slots',
  },
  emptySource: {
    question: 'What to do with a source that comes back empty or without writes that the target has',
    values: {
      fail: 'stop the link before anything is applied',
      follow: 'make the target the same',
    },
    default: DEFAULT_ENGINE.emptySource,
    vendor: '`follow`',
    shows: 'Finding `SOURCE_REGRESSED` with both offsets and both numbers of keys',
  },
};

/** The properties that the policies are in the schema of `engine:`. */
export const policyProperties: Readonly<Record<string, JsonSchema>> = Object.fromEntries(
  Object.entries(POLICIES).map(([name, policy]) => [name, schemaOf(policy)]),
);

function schemaOf(policy: PolicyDefinition): JsonSchema {
  if (policy.schema !== undefined) return policy.schema;
  return {
    description: describe(policy),
    type: 'string',
    enum: Object.keys(policy.values),
    default: policy.default,
  };
}

function describe({ question, values }: PolicyDefinition): string {
  const meanings = Object.entries(values).map(([value, meaning]) => `${value} = ${meaning}`);
  return `${question}: ${meanings.join('; ')}.`;
}
