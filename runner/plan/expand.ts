/** Makes the plan of a valid spec: fills in every default, expands every kind, turns every unit into a number. Pure. */
import assert from 'node:assert/strict';
import type { EngineOptions } from '../../engine/link/options.ts';
import { REGISTRIES, type SpecRegistries } from '../spec/registries.ts';
import type { Engine, Link, Spec } from '../spec/spec.generated.ts';
import {
  DEFAULT_COMPARE,
  DEFAULT_ENGINE,
  DEFAULT_INCREMENTAL_MS,
  DEFAULT_PROFILE,
  DEFAULT_REPORT_FORMATS,
  DEFAULT_SEED,
} from './defaults.ts';
import { DEFAULT_DRIVER, expandDriver } from './driver.ts';
import { expandExpectations } from './expand-expectations.ts';
import { expandInstance } from './expand-instance.ts';
import { expandStep } from './expand-step.ts';
import { withMovableClocks } from './movable-clocks.ts';
import { expandDatasets, expandWorkloads } from './expand-traffic.ts';
import type { LinkPlan, Plan } from './plan.ts';
import { defaultLinkId } from './topologies/link-id.ts';
import { parseSlotRanges } from './topologies/slot-ranges.ts';
import { expandPolicies } from './policies.ts';
import { durationOr, sizeOr } from './written.ts';

export interface ExpandOptions {
  /** Instead of the spec's own. */
  seed?: number;
  /** As given on the command line. File names in the plan stay relative to its folder. */
  specPath: string;
  /** Of the file's text. */
  sha256: string;
  registries?: SpecRegistries;
}

/** The spec must be valid (loadSpec); otherwise an assertion fails. */
export function expandPlan(spec: Spec, options: ExpandOptions): Plan {
  const { specPath, sha256, registries = REGISTRIES } = options;
  const instances = Object.entries(spec.instances).map(([name, instance]) => expandInstance(name, instance));
  const links = expandLinks(spec, registries);
  const timeline = (spec.timeline ?? []).map(expandStep);
  const databases = spec.topology?.kind === 'codis' ? spec.topology.databases : undefined;
  const data = expandDatasets(spec.data, { instances, links, databases });
  const ttlToleranceMs = durationOr(spec.compare?.ttlTolerance, DEFAULT_COMPARE.ttlToleranceMs);
  return {
    name: spec.name,
    description: spec.description ?? '',
    profile: spec.profile ?? DEFAULT_PROFILE,
    seed: options.seed ?? spec.seed ?? DEFAULT_SEED,
    spec: specPath,
    specSha256: sha256,
    instances: withMovableClocks(instances, timeline),
    topology: { kind: spec.topology?.kind ?? 'links' },
    links,
    data,
    workload: expandWorkloads(spec.workload, {
      instances,
      links,
      data,
      databases,
      defaultMix: registries.defaultMix,
    }),
    incrementalMs: durationOr(spec.incremental, DEFAULT_INCREMENTAL_MS),
    driver: expandDriver(spec.engine ?? {}),
    engine: expandEngine(spec.engine),
    timeline,
    ...(spec.scenarios && { scenarios: [...spec.scenarios] }),
    expect: expandExpectations(spec.expect ?? [], ttlToleranceMs),
    compare: {
      ttlToleranceMs,
      rounds: spec.compare?.rounds ?? DEFAULT_COMPARE.rounds,
      method: spec.compare?.method ?? DEFAULT_COMPARE.method,
    },
    report: { formats: spec.report?.formats ?? [...DEFAULT_REPORT_FORMATS] },
  };
}

function expandLinks(spec: Spec, registries: SpecRegistries): LinkPlan[] {
  if (spec.links !== undefined) {
    const links = spec.links.map((link) => ({
      ...link,
      id: link.id ?? defaultLinkId(link.source, link.target),
    }));
    return links.map((link) => expandLink(link, links));
  }
  const definition = registries.topologies.find(({ kind }) => kind === spec.topology?.kind);
  assert(definition !== undefined && spec.topology !== undefined, 'a valid spec has a topology or links');
  return definition.expand(spec.topology).map(({ link }) => link);
}

function expandLink(
  { codisSlots, emptyCheck, incrementalOnly, ...link }: Link & { id: string },
  all: readonly (Link & { id: string })[],
): LinkPlan {
  // What brings the data of the beginning to where this one starts.
  const forward = all.find(
    ({ target, ...other }) => target === link.source && other.incrementalOnly !== true,
  );
  return {
    ...link,
    ...(incrementalOnly === true
      ? { incrementalOnly, startsAfter: link.startsAfter ?? forward?.id ?? '' }
      : {}),
    ...(codisSlots === undefined ? {} : { codisSlots: parseSlotRanges(codisSlots) }),
    ...(emptyCheck === 'literal' ? { emptyCheck } : {}),
  };
}

function expandEngine(engine: Engine = {}): EngineOptions {
  const { envelope = {}, heartbeat = {}, expiry = {} } = engine;
  // Only our own engine keeps its heartbeat from the target.
  const isOff = heartbeat === 'off' || (engine.driver ?? DEFAULT_DRIVER) !== DEFAULT_DRIVER;
  return {
    logMemoryBytes: sizeOr(engine.memory, DEFAULT_ENGINE.logMemoryBytes),
    logDiskBytes: sizeOr(engine.disk, DEFAULT_ENGINE.logDiskBytes),
    envelopeCommands: envelope.commands ?? DEFAULT_ENGINE.envelopeCommands,
    envelopeBytes: sizeOr(envelope.bytes, DEFAULT_ENGINE.envelopeBytes),
    heartbeatMs: isOff ? 0 : durationOr(heartbeat.interval, DEFAULT_ENGINE.heartbeatMs),
    heartbeatPrefix: isOff
      ? DEFAULT_ENGINE.heartbeatPrefix
      : (heartbeat.prefix ?? DEFAULT_ENGINE.heartbeatPrefix),
    ...expandPolicies(engine),
    expiry: {
      graceMs: durationOr(expiry.grace, DEFAULT_ENGINE.expiry.graceMs),
      guardMs: durationOr(expiry.guard, DEFAULT_ENGINE.expiry.guardMs),
      importMode: expiry.importMode ?? DEFAULT_ENGINE.expiry.importMode,
    },
    retryMs: durationOr(engine.retry, DEFAULT_ENGINE.retryMs),
    idleTimeoutMs: durationOr(engine.idleTimeout, DEFAULT_ENGINE.idleTimeoutMs),
  };
}
