/** The policies of a spec's `engine:` in the plan, and back as they are written. */
import type { EngineOptions } from '../../engine/link/options.ts';
import { formatDuration } from '../spec/quantities.ts';
import type { Engine } from '../spec/spec.generated.ts';
import { DEFAULT_DURABILITY_TIMEOUT_MS, DEFAULT_ENGINE } from './defaults.ts';
import { durationOr } from './written.ts';

/** What of the engine's options is a policy: one per entry of runner/spec/schema/policies.ts. */
export type EnginePolicies = Required<
  Pick<
    EngineOptions,
    | 'flush'
    | 'swapdb'
    | 'publish'
    | 'scripts'
    | 'unsupported'
    | 'oom'
    | 'eviction'
    | 'foreignWrites'
    | 'durability'
    | 'conflict'
    | 'existing'
    | 'fullResync'
    | 'emptySource'
    | 'crossSlot'
    | 'topologyChange'
  >
>;

export function expandPolicies(engine: Engine): EnginePolicies {
  return {
    flush: engine.flush ?? DEFAULT_ENGINE.flush,
    swapdb: engine.swapdb ?? DEFAULT_ENGINE.swapdb,
    publish: engine.publish ?? DEFAULT_ENGINE.publish,
    scripts: engine.scripts ?? DEFAULT_ENGINE.scripts,
    unsupported: engine.unsupported ?? DEFAULT_ENGINE.unsupported,
    oom: engine.oom ?? DEFAULT_ENGINE.oom,
    eviction: engine.eviction ?? DEFAULT_ENGINE.eviction,
    foreignWrites: engine.foreignWrites ?? DEFAULT_ENGINE.foreignWrites,
    durability: expandDurability(engine.durability),
    conflict: engine.conflict ?? DEFAULT_ENGINE.conflict,
    existing: engine.existing ?? DEFAULT_ENGINE.existing,
    fullResync: engine.fullResync ?? DEFAULT_ENGINE.fullResync,
    emptySource: engine.emptySource ?? DEFAULT_ENGINE.emptySource,
    crossSlot: engine.crossSlot ?? DEFAULT_ENGINE.crossSlot,
    topologyChange: engine.topologyChange ?? DEFAULT_ENGINE.topologyChange,
  };
}

function expandDurability(written: Engine['durability']): EngineOptions['durability'] {
  if (written === undefined || written === 'none') return DEFAULT_ENGINE.durability;
  return {
    replicas: written.replicas,
    timeoutMs: durationOr(written.timeout, DEFAULT_DURABILITY_TIMEOUT_MS),
  };
}

/** As they stand in a spec. */
export function policiesForm(engine: EngineOptions): object {
  const { flush, swapdb, publish, scripts, unsupported, oom, eviction, foreignWrites } = engine;
  const { conflict = DEFAULT_ENGINE.conflict } = engine;
  const { durability, existing, fullResync, emptySource, crossSlot = DEFAULT_ENGINE.crossSlot } = engine;
  const { topologyChange = DEFAULT_ENGINE.topologyChange } = engine;
  return {
    flush,
    swapdb,
    publish,
    scripts,
    unsupported,
    oom,
    eviction,
    foreignWrites,
    durability:
      durability === 'none'
        ? durability
        : { replicas: durability.replicas, timeout: formatDuration(durability.timeoutMs) },
    conflict,
    existing,
    fullResync,
    emptySource,
    crossSlot,
    topologyChange,
  };
}
