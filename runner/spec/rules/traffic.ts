/** Data and workload: only into sources that may be written to, only into databases that exist, without stepping on each other. */
import { OWN_KEY_PREFIX } from '../../../engine/link/options.ts';
import { DEFAULT_DATASET } from '../../plan/defaults.ts';
import { isExisting } from '../../plan/existing.ts';
import { defaultWorkloadName } from '../../plan/expand-traffic.ts';
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
    if (item !== undefined) checkDataset(context, item, ['data', position]);
  }
  for (const [position, item] of workload.entries()) {
    if (item !== undefined) checkWorkload(context, item, ['workload', position]);
  }
  checkDuplicates(context, data, workload);
}

function checkDataset(context: RuleContext, item: Draft<Dataset>, path: Path): void {
  const into = checkInto(context, item.into, path);
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

function checkWorkload(context: RuleContext, item: Draft<Workload>, path: Path): void {
  const into = checkInto(context, item.into, path);
  for (const [position, database] of (item.databases ?? []).entries()) {
    checkDatabase(context, into, database, [...path, 'databases', position]);
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

/** Reports targets that cannot be written to; returns those that can. */
function checkInto(context: RuleContext, into: Draft<Dataset>['into'], path: Path): string[] {
  const sources = [...new Set(context.flows.map(({ source }) => source))];
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
    checkOne(context, name, sources, at) && name !== undefined ? [name] : [],
  );
}

function checkOne(
  context: RuleContext,
  name: string | undefined,
  sources: readonly string[],
  at: Path,
): boolean {
  if (name === undefined || !checkInstanceName(context, name, at)) return false;
  if (!isTouchable(context, name)) {
    context.report(at, 'value', {
      message: `"${name}" is an existing endpoint that does not say disposable: true, so nothing is written to it`,
      expected: 'disposable: true beside its url, if everything in it may be lost',
    });
    return false;
  }
  if (!context.areFlowsComplete || sources.includes(name)) return true;
  context.report(at, 'value', {
    message: `"${name}" is not the source of a link`,
    expected: namesOf(sources),
  });
  return false;
}

function checkDatabase(
  context: RuleContext,
  into: readonly string[],
  database: number | undefined,
  path: Path,
): void {
  if (database === undefined) return;
  for (const name of into) {
    const instance = context.spec.instances?.[name];
    if (instance === undefined || isExisting(instance)) continue;
    const databases = Number(instance.config?.['databases'] ?? DEFAULT_DATABASES);
    if (database < databases) continue;
    context.report(path, 'value', {
      message: `"${name}" has ${databases} databases, 0 to ${databases - 1}`,
      expected: `a smaller number, or config: { databases: ${database + 1} } in ${name} and its target`,
    });
    return;
  }
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
