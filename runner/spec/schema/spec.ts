/**
 * The whole schema of a spec, put together from its pieces and the registries. `publishedSchema` is what is shipped as
 * redis-sync.schema.json; the types in ../spec.generated.ts come from it.
 */
import { DEFAULT_INCREMENTAL_MS, DEFAULT_PROFILE, DEFAULT_SEED } from '../../plan/defaults.ts';
import { formatDuration } from '../quantities.ts';
import type { SpecRegistries } from '../registries.ts';
import { engineSchema } from './engine.ts';
import { instanceSchema, instancesSchema } from './instances.ts';
import { linkSchema } from './links.ts';
import { compareSchema, expectationSchema, reportSchema } from './judgement.ts';
import { closed, duration, name, OWN_KEYWORDS, text, whole, type JsonSchema } from './piece.ts';
import { momentSchema, stepSchema } from './timeline.ts';
import { datasetSchema, workloadSchema } from './traffic.ts';

export const PROFILES = ['open', 'tair-two-way', 'codis-to-tair', 'redis-one-way'] as const;

/** With our own keywords in it; see piece.ts. */
export function specSchema(registries: SpecRegistries): JsonSchema {
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Spec',
    ...closed(
      'A rehearsal: which Redis-compatible databases there are, how data flows between them, what may go wrong, and what must hold afterwards.',
      {
        name: name('Name of this rehearsal, in reports and run folders.'),
        description: text('What it is about, for people.'),
        profile: {
          description:
            "Whose rules apply: open = none but Redis's own; the others are those of a vendor's service.",
          type: 'string',
          enum: PROFILES,
          default: DEFAULT_PROFILE,
        },
        seed: whole('Every random choice derives from it. The same seed makes the same data.', 0, {
          maximum: Number.MAX_SAFE_INTEGER,
          default: DEFAULT_SEED,
        }),
        instances: instancesSchema,
        topology: { $ref: '#/definitions/topology' },
        links: list('The links themselves, instead of a topology.', '#/definitions/link', { minItems: 1 }),
        data: list(
          'What is in the sources before the first link starts. Default: mixed keys in every provisioned source; [] = nothing.',
          '#/definitions/dataset',
        ),
        workload: list(
          'What clients write meanwhile. Default: mixed commands into every provisioned source; [] = nothing.',
          '#/definitions/workload',
        ),
        incremental: duration('How long the workload runs once the links are in sync.', {
          default: formatDuration(DEFAULT_INCREMENTAL_MS),
        }),
        engine: { $ref: '#/definitions/engine' },
        timeline: list('What happens during the run.', '#/definitions/step'),
        scenarios: { $ref: '#/definitions/scenarios' },
        compare: { $ref: '#/definitions/compare' },
        expect: list('What must hold at the end, besides equal data.', '#/definitions/expectation'),
        report: { $ref: '#/definitions/report' },
      },
      { required: ['name', 'instances'], plannedKeys: ['precheck'] },
    ),
    definitions: definitions(registries),
  };
}

function definitions(registries: SpecRegistries): Record<string, JsonSchema> {
  return {
    instance: instanceSchema,
    topology: {
      description: 'How data flows between the instances.',
      oneOf: registries.topologies.map((topology) => topology.schema),
    },
    link: linkSchema,
    dataset: datasetSchema,
    workload: workloadSchema,
    engine: engineSchema,
    step: stepSchema(registries.faults),
    moment: momentSchema,
    scenarios: scenariosSchema,
    compare: compareSchema,
    expectation: expectationSchema,
    report: reportSchema(registries.reportFormats),
  };
}

const scenariosSchema: JsonSchema = {
  description:
    'Named rehearsals that verify runs instead of the timeline, each on fresh servers and with a verdict of its own. all = all that fit.',
  type: 'array',
  items: {
    description:
      'Name of a scenario (redis-sync scenarios lists them), or all; NAME@LINK when it is not to happen to the first link.',
    type: 'string',
    pattern: '^[a-z][a-z0-9-]*(@[A-Za-z][A-Za-z0-9_-]{0,63})?$',
    rule: 'a name like flush-source, or flush-source@LINK',
  },
  minItems: 1,
  uniqueItems: true,
};

function list(description: string, item: string, more: JsonSchema = {}): JsonSchema {
  return { description, type: 'array', items: { $ref: item }, ...more };
}

/** Plain draft-07: the schema without our own keywords. */
export function publishedSchema(registries: SpecRegistries): JsonSchema {
  return withoutOwnKeywords(specSchema(registries));
}

/** Walks the schema as JSON. `properties` and `definitions` hold names of people's keys, which must stay. */
function withoutOwnKeywords(schema: JsonSchema): JsonSchema {
  const strip = (value: unknown, namesInside: boolean): unknown => {
    if (Array.isArray(value)) return value.map((item: unknown) => strip(item, false));
    if (typeof value !== 'object' || value === null) return value;
    const kept = Object.entries(value).filter(
      ([key]) => namesInside || !OWN_KEYWORDS.some((own) => own === key),
    );
    return Object.fromEntries(
      kept.map(([key, inner]) => [
        key,
        strip(inner, !namesInside && (key === 'properties' || key === 'definitions')),
      ]),
    );
  };
  const stripped = strip(schema, false);
  return typeof stripped === 'object' && stripped !== null ? { ...stripped } : {};
}
