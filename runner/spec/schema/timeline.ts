/** `timeline:` – what goes wrong, and when. One branch per registered fault, told apart by `fault`. */
import { SYNC_PHASES } from '../quantities.ts';
import type { FaultEntry } from '../registries.ts';
import { LINK_METRICS } from '../../../scenarios/timeline/step.ts';
import { closed, duration, name, size, text, whole, type JsonSchema } from './piece.ts';

const momentText: JsonSchema = {
  description: 'A phase, or a phase and how far it is: incremental, or "full-sync 50%".',
  type: 'string',
  quantity: 'moment',
};

const watchedLink = name('Link to watch. Default: the first one that gets there.');

const phaseCondition = closed(
  'A phase of a link, and how far it is.',
  {
    phase: { description: 'Phase it must be in.', type: 'string', enum: SYNC_PHASES },
    link: watchedLink,
    progress: {
      description: 'How much of the phase must be done, e.g. ">= 50%".',
      type: 'string',
      quantity: 'progress',
      pattern: '^((>=|>|<=|<) *)?[0-9]+(\\.[0-9]+)?%$',
    },
  },
  { required: ['phase'] },
);

const metricCondition = closed(
  'Something that is measured of a link.',
  {
    metric: { description: 'What is measured.', type: 'string', enum: LINK_METRICS },
    link: watchedLink,
    is: {
      description: 'What it must be, e.g. "> 1mb".',
      type: 'string',
      quantity: 'reading',
      pattern: '^(>=|>|<=|<) *[0-9]+(\\.[0-9]+)?[a-zA-Z]*$',
    },
    for: duration('How long without a break.', { default: '0ms' }),
  },
  { required: ['metric', 'is'] },
);

const byteCondition = closed(
  'Bytes that have come through a proxy: the first connection that has carried so many is held exactly there until the fault is in place.',
  {
    proxy: text('One side of a link, e.g. link:main.source.'),
    bytes: size('How many bytes of one connection.'),
    stream: {
      description:
        'Which bytes: downstream comes from the server, upstream goes to it. Default: downstream at the source, upstream at the target.',
      type: 'string',
      enum: ['downstream', 'upstream'],
    },
  },
  { required: ['proxy', 'bytes'] },
);

const condition: JsonSchema = {
  description: 'What must be so.',
  type: 'object',
  oneOf: [phaseCondition, metricCondition, byteCondition],
};

/** Once for all faults: it is the largest part of a step. */
export const momentSchema: JsonSchema = {
  description: 'Fire when a link reaches a phase, or something measured is so.',
  oneOf: [momentText, condition],
};

const TRIGGER_AND_LIFE: Readonly<Record<string, JsonSchema>> = {
  at: duration('Fire this long after the workload started.'),
  when: { $ref: '#/definitions/moment' },
  after: name('Fire after the step with this id.'),
  delay: duration('Wait this much longer; with when and after.', { default: '0ms' }),
  for: duration('Heal after this long. Without it, when the run settles.'),
  every: duration('Fire again this long after it fired; what is still in effect is healed first.', {
    atLeast: '10ms',
  }),
  times: whole('With every: how often in all. Without it, until the run settles.', 1),
  optional: {
    description: 'A step that never fired, or had no effect, does not make the verdict unknown.',
    type: 'boolean',
    default: false,
  },
};

export function stepSchema(faults: readonly FaultEntry[]): JsonSchema {
  return { description: 'One thing that happens during the run.', oneOf: faults.map(faultStep) };
}

function faultStep(fault: FaultEntry): JsonSchema {
  const needsSettings = fault.schema.oneOf !== undefined || (fault.schema.required ?? []).length > 0;
  return closed(
    fault.summary,
    {
      id: name('Name of this step. Default: step-1, step-2 and so on, by position.'),
      fault: { description: fault.summary, type: 'string', const: fault.name },
      where: text(
        'What it happens to: source, group-1.primary, group-1.replica(0), target.shard(0), link:forward.source.',
      ),
      with: { description: `Settings of ${fault.name}.`, ...fault.schema },
      ...TRIGGER_AND_LIFE,
    },
    { required: needsSettings ? ['fault', 'with'] : ['fault'] },
  );
}
