/**
 * A plan as YAML for people: the core form of the spec language with every default written out. It is a spec again, and
 * makes the same plan.
 */
import { Document, isCollection, isMap, isPair, visit, type YAMLMap, type YAMLSeq } from 'yaml';
import { formatDuration, formatShare, formatSize } from '../spec/quantities.ts';
import type { Bound } from '../../scenarios/checks/expectation.ts';
import type { StepPlan, TriggerPlan } from '../../scenarios/timeline/step.ts';
import { driverForm } from './driver.ts';
import { isExisting } from './existing.ts';
import type { ExpectPlan, InstancePlan, LinkPlan, Plan } from './plan.ts';
import { policiesForm } from './policies.ts';
import { formatSlotRange } from './topologies/slot-ranges.ts';

/** Longest object that is written on one line. */
const FLOW_COLUMNS = 100;

export function describePlan(plan: Plan): string {
  const document = new Document(coreForm(plan));
  document.commentBefore = header(plan);
  visit(document, {
    Collection(_, node) {
      if (isSmall(node)) node.flow = true;
    },
  });
  for (const pair of isMap(document.contents) ? document.contents.items.slice(1) : []) {
    if (isCollection(pair.value) && pair.value.flow !== true && hasSpace(pair.key))
      pair.key.spaceBefore = true;
  }
  return document.toString({ lineWidth: 0, flowCollectionPadding: true });
}

function header(plan: Plan): string {
  const lines = [
    `The plan of ${plan.spec}: every default filled in, every kind expanded. It is a spec itself.`,
    `topology: ${plan.topology.kind}, seed: ${plan.seed}, sha256 of the file: ${plan.specSha256.slice(0, 16)}…`,
  ];
  const found = plan.instances.filter(
    (instance) => !isExisting(instance) && instance.image === undefined && instance.binary === '',
  );
  if (found.length > 0) {
    lines.push(
      `${found.map(({ name }) => name).join(', ')}: provisioned with the redis-server or valkey-server that is found.`,
    );
  }
  return lines.map((line) => ` ${line}`).join('\n');
}

function coreForm(plan: Plan): object {
  return escaped({
    name: plan.name,
    ...(plan.description === '' ? {} : { description: plan.description }),
    profile: plan.profile,
    seed: plan.seed,
    instances: Object.fromEntries(plan.instances.map((instance) => [instance.name, instanceForm(instance)])),
    links: plan.links.map(linkForm),
    data: plan.data.map(({ into, database, keys, types, ttl, ...dataset }) => ({
      into,
      database,
      keys,
      types,
      ttl: { share: formatShare(ttl.share), between: ttl.betweenMs.map(formatDuration) },
      ...dataset,
    })),
    workload: plan.workload.map(({ name, into, databases, ratePerSecond, ...workload }) => ({
      name,
      into,
      databases,
      rate: `${ratePerSecond}/s`,
      ...workload,
    })),
    incremental: formatDuration(plan.incrementalMs),
    engine: plan.driver.kind === 'redis-sync' ? engineForm(plan.engine) : driverForm(plan.driver),
    timeline: plan.timeline.map(stepForm),
    ...(plan.scenarios && { scenarios: plan.scenarios }),
    compare: {
      method: plan.compare.method,
      ttlTolerance: formatDuration(plan.compare.ttlToleranceMs),
      rounds: plan.compare.rounds,
    },
    expect: plan.expect.map(expectForm),
    report: { formats: plan.report.formats },
  });
}

function linkForm({ codisSlots, ...link }: LinkPlan): object {
  return { ...link, ...(codisSlots && { codisSlots: codisSlots.map(formatSlotRange) }) };
}

function instanceForm(instance: InstancePlan): object {
  const { kind, capabilities, url, urls, sentinel } = instance;
  if (!isExisting(instance)) {
    const { image, version, binary, replicas, shards, sentinels, ownTls, config } = instance;
    return {
      kind,
      ...(image !== undefined && { provider: 'container', image }),
      ...(version && { version }),
      ...(binary && { binary }),
      ...(kind === 'cluster' && { shards }),
      replicas,
      ...(kind === 'sentinel' && { sentinels }),
      ...(ownTls && { tls: true }),
      config,
      capabilities,
    };
  }
  const { tls, disposable } = instance;
  const form = {
    kind,
    ...(url !== undefined && { url }),
    ...(urls !== undefined && { urls }),
    ...(sentinel !== undefined && {
      sentinel: { name: sentinel.name, nodes: sentinel.nodes, ...loginForm(sentinel) },
    }),
    ...loginForm(instance),
    disposable,
    capabilities,
  };
  // Of a Sentinel's servers it is the whole of what says that they speak TLS.
  if (tls === undefined || (Object.keys(tls).length === 0 && sentinel === undefined)) return form;
  const { caFile, certFile, keyFile, ...same } = tls;
  const files = {
    ...(caFile && { ca: caFile }),
    ...(certFile && { cert: certFile }),
    ...(keyFile && { key: keyFile }),
  };
  return { ...form, tls: { ...files, ...same } };
}

function loginForm({
  username,
  passwordEnv,
  passwordFile,
}: Pick<InstancePlan, 'username' | 'passwordEnv' | 'passwordFile'>): object {
  return {
    ...(username !== undefined && { username }),
    ...(passwordEnv !== undefined && { password: new SecretReference(passwordEnv) }),
    ...(passwordFile !== undefined && { passwordFile }),
  };
}

function engineForm(engine: Plan['engine']): object {
  return {
    memory: formatSize(engine.logMemoryBytes),
    disk: formatSize(engine.logDiskBytes),
    envelope: { commands: engine.envelopeCommands, bytes: formatSize(engine.envelopeBytes) },
    heartbeat:
      engine.heartbeatMs === 0
        ? 'off'
        : { interval: formatDuration(engine.heartbeatMs), prefix: engine.heartbeatPrefix },
    ...policiesForm(engine),
    expiry: {
      grace: formatDuration(engine.expiry.graceMs),
      guard: formatDuration(engine.expiry.guardMs),
      importMode: engine.expiry.importMode,
    },
    retry: formatDuration(engine.retryMs),
    idleTimeout: formatDuration(engine.idleTimeoutMs),
  };
}

function stepForm(step: StepPlan): object {
  const { id, fault, where, with: settings, trigger, forMs, everyMs, times, optional } = step;
  return {
    id,
    fault,
    ...(where !== undefined && { where }),
    ...triggerForm(trigger),
    ...(forMs !== undefined && { for: formatDuration(forMs) }),
    ...(everyMs !== undefined && { every: formatDuration(everyMs) }),
    ...(times !== undefined && { times }),
    ...(Object.keys(settings).length > 0 && { with: settings }),
    optional,
  };
}

function triggerForm({ atMs, when, after, delayMs }: TriggerPlan): object {
  if (atMs !== undefined) return { at: formatDuration(atMs) };
  const delay = formatDuration(delayMs);
  if (after !== undefined) return { after, delay };
  const { progress, is, forMs, bytes, ...condition } = when ?? {};
  const written = {
    ...(progress !== undefined && { progress: `${progress.comparison} ${progress.percent}%` }),
    ...(is !== undefined && { is: `${is.comparison} ${is.value}` }),
    ...(forMs !== undefined && { for: formatDuration(forMs) }),
    ...(bytes !== undefined && { bytes: formatSize(bytes) }),
  };
  return { when: { ...condition, ...written }, delay };
}

function expectForm(expect: ExpectPlan): object {
  if ('finding' in expect) {
    const { count, ...finding } = expect;
    return { ...finding, count: countForm(count) };
  }
  if ('ledger' in expect) return { check: 'ledger', [expect.ledger]: countForm(expect.count) };
  if ('metric' in expect)
    return { metric: expect.metric, [expect.quantile]: `${expect.limit.comparison} ${expect.limit.value}` };
  if (expect.check === 'counts') return { check: expect.check };
  return { check: expect.check, tolerance: { ttl: formatDuration(expect.ttlToleranceMs) } };
}

function countForm({ comparison, value }: Bound): string | number {
  return comparison === '=' ? value : `${comparison} ${value}`;
}

/** `password: ${NAME}`, which must not be escaped like a text that happens to contain `${`. */
class SecretReference {
  readonly variable: string;

  constructor(variable: string) {
    this.variable = variable;
  }
}

function escaped(value: object): object {
  const escape = (inner: unknown): unknown => {
    if (inner instanceof SecretReference) return `\${${inner.variable}}`;
    if (typeof inner === 'string') return inner.replaceAll('${', () => '$${');
    if (Array.isArray(inner)) return inner.map(escape);
    if (typeof inner !== 'object' || inner === null) return inner;
    return Object.fromEntries(Object.entries(inner).map(([key, item]) => [key, escape(item)]));
  };
  const result = escape(value);
  return typeof result === 'object' && result !== null ? result : {};
}

/** An object or list with little inside it, that fits on a line. */
function isSmall(node: YAMLMap | YAMLSeq): boolean {
  return JSON.stringify(node).length <= FLOW_COLUMNS && depthOf(node) <= 2;
}

function depthOf(node: unknown): number {
  if (isPair(node)) return depthOf(node.value);
  if (!isCollection(node)) return 0;
  return 1 + Math.max(0, ...node.items.map(depthOf));
}

function hasSpace(key: unknown): key is { spaceBefore?: boolean } {
  return typeof key === 'object' && key !== null;
}
