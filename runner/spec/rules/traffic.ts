/** Data and workload: only into sources that may be written to, only into databases that exist, without stepping on each other. */
import { OWN_KEY_PREFIX } from '../../../engine/link/options.ts';
import { DEFAULT_DATASET } from '../../plan/defaults.ts';
import { KeyPattern } from '../../../engine/keys/key-pattern.ts';
import { isExisting } from '../../plan/existing.ts';
import { defaultDataPrefix, defaultWorkloadName } from '../../plan/expand-traffic.ts';
import { seedableInstances, writableInstances } from '../../plan/writers.ts';
import type { Flow } from './flows.ts';
import type { Path } from '../document.ts';
import type { Draft } from '../draft.ts';
import { parseDuration, parseSize } from '../quantities.ts';
import type { Dataset, Workload } from '../spec.generated.ts';
import { didYouMean } from '../suggest.ts';
import { checkInstanceName, isTouchable, namesOf, type RuleContext } from './rule.ts';

const DEFAULT_DATABASES = 16;

export function checkTraffic(context: RuleContext): void {
  const { data = [], workload = [] } = context.spec;
  for (const [position, item] of data.entries()) {
    if (item !== undefined) checkDataset(context, item, position);
  }
  for (const [position, item] of workload.entries()) {
    if (item !== undefined) checkWorkload(context, item, position);
  }
  checkDuplicates(context, data, workload);
  const { topology } = context.spec;
  if (topology?.kind !== 'codis') return;
  const everywhere = [...new Set(context.flows.flatMap(({ source, target }) => [source, target]))];
  for (const [position, database] of (topology.databases ?? []).entries())
    checkDatabase(context, everywhere, database, ['topology', 'databases', position]);
}

function checkDataset(context: RuleContext, item: Draft<Dataset>, position: number): void {
  const path: Path = ['data', position];
  const into = checkInto(context, item.into, seedable(context), path);
  checkOwned(context, into, item.prefix ?? defaultDataPrefix(position), 'prefix' in item, path);
  checkDatabase(context, into, item.database, [...path, 'database']);
  checkPrefix(context, item.prefix, [...path, 'prefix']);
  checkWeights(context, item.types, [...path, 'types']);
  const [shortest, longest] = (item.ttl?.between ?? []).map((text) => valueOf(text, parseDuration));
  if (shortest !== undefined && longest !== undefined && shortest > longest) {
    context.report([...path, 'ttl', 'between'], 'value', {
      message: 'the shortest time to live is longer than the longest',
      expected: '[10m, 2h]',
    });
  }
  checkSpread(context, item.values, DEFAULT_DATASET.values, [...path, 'values']);
  checkSpread(context, item.elements, DEFAULT_DATASET.elements, [...path, 'elements']);
}

function checkWorkload(context: RuleContext, item: Draft<Workload>, position: number): void {
  const path: Path = ['workload', position];
  const into = checkInto(context, item.into, writable(context), path);
  const name = item.name ?? defaultWorkloadName(position);
  checkOwned(context, into, item.prefix ?? `${name}:`, 'prefix' in item, path);
  checkClient(context, into, item.client, [...path, 'client']);
  checkStart(context, into, item.start, [...path, 'start']);
  for (const [index, database] of (item.databases ?? []).entries()) {
    checkDatabase(context, into, database, [...path, 'databases', index]);
  }
  checkPrefix(context, item.prefix, [...path, 'prefix']);
  checkWeights(context, item.mix, [...path, 'mix']);
  const { families, commands } = context.registries;
  for (const family of Object.keys(item.mix ?? {})) {
    if (families.includes(family) || commands.includes(family)) continue;
    context.report([...path, 'mix', family], 'key', {
      message: `there is no command family "${family}"${didYouMean(family, [...families, ...commands])}`,
      expected: `${namesOf(families)}, or a command in lower case`,
    });
  }
}

/** Who may be written to, and why others may not. */
interface Writable {
  names: readonly string[];
  explain: (name: string) => string;
}

function seedable({ flows }: RuleContext): Writable {
  return {
    names: seedableInstances(flows),
    explain: (name) => explainFed(flows, name, 'what is in it at the beginning would be copied nowhere'),
  };
}

function writable({ flows }: RuleContext): Writable {
  return {
    names: writableInstances(flows),
    explain: (name) => explainFed(flows, name, 'nothing else may write to it'),
  };
}

function explainFed(flows: readonly Flow[], name: string, consequence: string): string {
  const isSource = flows.some(({ source }) => source === name);
  const feeding = flows.find(({ target, incrementalOnly }) => target === name && incrementalOnly !== true);
  return isSource && feeding !== undefined
    ? `"${name}" gets its data from "${feeding.source}": ${consequence}`
    : `"${name}" is not the source of a link`;
}

/** Reports targets that cannot be written to; returns those that can. */
function checkInto(
  context: RuleContext,
  into: Draft<Dataset>['into'],
  allowed: Writable,
  path: Path,
): string[] {
  const sources = [...allowed.names];
  if (into === undefined) {
    if (context.areFlowsComplete && !sources.some((name) => isTouchable(context, name))) {
      const message = `there is no source to write to: ${namesOf(sources)} is an existing endpoint that does not say disposable: true`;
      context.report(path, 'value', {
        message,
        expected: 'disposable: true beside its url, if everything in it may be lost',
      });
    }
    return sources;
  }
  const names =
    typeof into === 'string'
      ? [{ name: into, at: [...path, 'into'] }]
      : into.map((name, position) => ({ name, at: [...path, 'into', position] }));
  return names.flatMap(({ name, at }) =>
    checkOne(context, name, allowed, at) && name !== undefined ? [name] : [],
  );
}

function checkOne(context: RuleContext, name: string | undefined, allowed: Writable, at: Path): boolean {
  if (name === undefined || !checkInstanceName(context, name, at)) return false;
  if (!isTouchable(context, name)) {
    context.report(at, 'value', {
      message: `"${name}" is an existing endpoint that does not say disposable: true, so nothing is written to it`,
      expected: 'disposable: true beside its url, if everything in it may be lost',
    });
    return false;
  }
  if (!context.areFlowsComplete || allowed.names.includes(name)) return true;
  context.report(at, 'value', { message: allowed.explain(name), expected: namesOf(allowed.names) });
  return false;
}

/** The instances themselves, and where their data goes from there. */
function checkDatabase(
  context: RuleContext,
  into: readonly string[],
  database: number | undefined,
  path: Path,
): void {
  if (database === undefined) return;
  const targets = context.flows.flatMap(({ source, target }) => (into.includes(source) ? [target] : []));
  for (const name of new Set([...into, ...targets])) {
    const instance = context.spec.instances?.[name];
    if (instance === undefined || (database > 0 && instance.kind === 'cluster')) {
      if (instance === undefined) continue;
      context.report(path, 'value', {
        message: `"${name}" is a cluster, which has database 0 only`,
        expected: '0',
      });
      return;
    }
    if (isExisting(instance) || !into.includes(name)) continue;
    const databases = Number(instance.config?.['databases'] ?? DEFAULT_DATABASES);
    if (database < databases) continue;
    context.report(path, 'value', {
      message: `"${name}" has ${databases} databases, 0 to ${databases - 1}`,
      expected: `a smaller number, or config: { databases: ${database + 1} } in ${name} and its target`,
    });
    return;
  }
}

/** Where keys have owners, the traffic of the rehearsal keeps to it: what breaks it should be a fault, on purpose. */
function checkOwned(
  { flows, report }: RuleContext,
  into: readonly string[],
  prefix: string,
  isWritten: boolean,
  path: Path,
): void {
  const literal = new KeyPattern(`${prefix.replaceAll(/[\\*?[\]]/g, '\\$&')}*`);
  const at = isWritten ? [...path, 'prefix'] : path;
  for (const name of into) {
    const own = flows.filter(({ source, owns }) => source === name && owns !== undefined);
    const patterns = own.flatMap(({ owns = [] }) => owns);
    if (
      own.length > 0 &&
      !patterns.some((text) => text.endsWith('*') && new KeyPattern(text).matches(Buffer.from(prefix)))
    ) {
      report(at, 'value', {
        message: `keys that begin with "${prefix}" do not belong to "${name}"`,
        expected: `into one source, and a prefix that fits ${patterns.join(' or ')}`,
      });
      return;
    }
    const others = flows.filter(({ source, owns }) => source !== name && owns !== undefined);
    const owner = others.find(({ owns = [] }) =>
      owns.some((text) => new KeyPattern(text).commonKey(literal)),
    );
    if (owner === undefined || own.length > 0) continue;
    report(at, 'value', {
      message: `keys that begin with "${prefix}" belong to "${owner.source}"`,
      expected: `into: ${owner.source}, or another prefix`,
    });
    return;
  }
}

/** The way back begins where it is opened: what was written before stays where it is. */
function checkStart(
  { flows, report }: RuleContext,
  into: readonly string[],
  start: string | undefined,
  path: Path,
): void {
  const fed = into.find((name) => !seedableInstances(flows).includes(name));
  if (start !== 'full-sync' || fed === undefined) return;
  report(path, 'value', {
    message: `what is written to "${fed}" before the link that leads back from it is in sync would reach nobody`,
    expected: 'incremental',
  });
}

function checkClient(
  { flows, report }: RuleContext,
  into: readonly string[],
  client: string | undefined,
  path: Path,
): void {
  if (client !== 'codis-proxy') return;
  const other = into.find((name) =>
    flows.some(({ source, codisSlots }) => source === name && codisSlots === undefined),
  );
  if (other === undefined) return;
  report(path, 'value', {
    message: `"${other}" is no group of a Codis cluster, so there is no proxy in front of it`,
    expected: 'direct',
  });
}

function checkPrefix(context: RuleContext, prefix: string | undefined, path: Path): void {
  const heartbeat = context.spec.engine?.heartbeat;
  const own = [
    OWN_KEY_PREFIX,
    typeof heartbeat === 'object' ? heartbeat.prefix : undefined,
    'DTS_REDIS_TIMESTAMP_HEARTBEAT',
  ];
  const taken = own.find((text) => text !== undefined && prefix?.startsWith(text) === true);
  if (taken === undefined) return;
  context.report(path, 'value', {
    message: `keys that begin with "${taken}" belong to the replication itself`,
    expected: 'another prefix',
  });
}

function checkWeights(
  context: RuleContext,
  weights: Readonly<Record<string, number | undefined>> | undefined,
  path: Path,
): void {
  if (weights === undefined || Object.values(weights).some((weight) => weight === undefined || weight > 0))
    return;
  context.report(path, 'key', { message: 'all weights are 0', expected: 'at least one above 0' });
}

interface Spread {
  readonly median?: string | number | undefined;
  readonly p99?: string | number | undefined;
}

function checkSpread(
  context: RuleContext,
  spread: Spread | undefined,
  defaults: { median: number; p99: number },
  path: Path,
): void {
  if (spread === undefined) return;
  const median = valueOf(spread.median, parseSize) ?? defaults.median;
  const p99 = valueOf(spread.p99, parseSize) ?? defaults.p99;
  if (median <= p99) return;
  const key = spread.p99 === undefined ? 'median' : 'p99';
  const message = `the median (${median}) is above the p99 (${p99})`;
  context.report([...path, key], 'value', { message, expected: 'a median that is at most the p99' });
}

function valueOf(value: string | number | undefined, parse: typeof parseDuration): number | undefined {
  if (typeof value !== 'string') return value;
  const parsed = parse(value);
  return parsed.kind === 'ok' ? parsed.value : undefined;
}

/** Two that write the same keys, or have the same name. */
function checkDuplicates(
  { report }: RuleContext,
  data: readonly (Draft<Dataset> | undefined)[],
  workload: readonly (Draft<Workload> | undefined)[],
): void {
  const prefixes = data.map((item) => item?.prefix && `${item.database ?? 0} ${item.prefix}`);
  for (const [position, prefix] of prefixes.entries()) {
    if (!prefix || prefixes.indexOf(prefix) === position) continue;
    report(['data', position, 'prefix'], 'value', {
      message: `data[${prefixes.indexOf(prefix)}] has the same prefix in the same database: they would overwrite each other`,
      expected: 'another prefix',
    });
  }
  const names = workload.map((item, position) => item?.name ?? defaultWorkloadName(position));
  for (const [position, name] of names.entries()) {
    if (names.indexOf(name) === position) continue;
    report(['workload', position, 'name'], 'value', {
      message: `there is a workload "${name}" already`,
      expected: 'another name',
    });
  }
}
