/**
 * What the spec language takes from the other rooms: which faults, command families, topology kinds and report formats
 * there are. Passed in, so that the language can be tested with lists of its own.
 */
import { REPORT_FORMATS } from '../../reports/render/registry.ts';
import { FAULTS } from '../../scenarios/faults/registry.ts';
import { SCENARIOS } from '../../scenarios/rehearsals/registry.ts';
import { COMMAND_NAMES, FAMILY_NAMES } from '../../scenarios/workload/families.ts';
import { DEFAULT_MIX } from '../../scenarios/workload/mix.ts';
import { TOPOLOGIES, type TopologyDefinition } from '../plan/topologies/registry.ts';
import type { JsonSchema } from './schema/piece.ts';

export interface FaultEntry {
  readonly name: string;
  readonly summary: string;
  /** Abilities of the instance that it needs: pause, kill, config, proxy … */
  readonly requires: readonly string[];
  readonly aims: 'instance' | 'link' | 'side' | 'any';
  /** Draft-07 schema of the step's `with`. */
  readonly schema: JsonSchema;
}

export interface SpecRegistries {
  readonly faults: readonly FaultEntry[];
  /** Words that a workload's `mix` may use: families, and single commands. */
  readonly families: readonly string[];
  readonly commands: readonly string[];
  /** The mix of a workload that names none. */
  readonly defaultMix: Readonly<Record<string, number>>;
  readonly topologies: readonly TopologyDefinition[];
  readonly reportFormats: readonly string[];
  /** Names of rehearsals that a spec may ask for. */
  readonly scenarios: readonly string[];
}

/** The registries of this build. */
export const REGISTRIES: SpecRegistries = {
  faults: FAULTS,
  families: FAMILY_NAMES,
  commands: COMMAND_NAMES,
  defaultMix: DEFAULT_MIX,
  topologies: TOPOLOGIES,
  reportFormats: REPORT_FORMATS,
  scenarios: SCENARIOS.map(({ name }) => name),
};
