/** `timeline:` – what goes wrong, and when. One branch per registered fault, told apart by `fault`. */
import { SYNC_PHASES } from '../quantities.ts';
import type { FaultEntry } from '../registries.ts';
import { closed, duration, name, text, type JsonSchema } from './piece.ts';

const momentText: JsonSchema = {
  description: 'A phase, or a phase and how far it is: incremental, or "full-sync 50%".',
  type: 'string',
  quantity: 'moment',
};

const condition = closed(
  'A phase of a link, and how far it is.',
  {
    link: name('Link to watch. Default: the first one that gets there.'),
    phase: { description: 'Phase it must be in.', type: 'string', enum: SYNC_PHASES },
    progress: {
      description: 'How much of the phase must be done, e.g. ">= 50%".',
      type: 'string',
      quantity: 'progress',
      pattern: '^((>=|>|<=|<) *)?[0-9]+(\\.[0-9]+)?%$',
    },
  },
  { required: ['phase'], plannedKeys: ['metric', 'is', 'for', 'proxy', 'bytes'] },
);

const TRIGGER_AND_LIFE: Readonly<Record<string, JsonSchema>> = {
  at: duration('Fire this long after the workload started.'),
  when: { description: 'Fire when a link reaches a phase.', oneOf: [momentText, condition] },
  after: name('Fire after the step with this id.'),
  delay: duration('Wait this much longer; with when and after.', { default: '0ms' }),
  for: duration('Heal after this long. Without it, when the run settles.'),
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
      where: text('What it happens to: source, group-1.primary, group-1.replica(0), link:forward.source.'),
      with: { description: `Settings of ${fault.name}.`, ...fault.schema },
      ...TRIGGER_AND_LIFE,
    },
    { required: needsSettings ? ['fault', 'with'] : ['fault'], plannedKeys: ['every', 'times'] },
  );
}
