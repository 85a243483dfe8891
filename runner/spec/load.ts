/**
 * From a file to a plan, or to every problem it has. The order: read, YAML, environment, schema, rules. A later stage
 * works with what the earlier ones left intact, so that all problems come in one pass.
 */
import { createHash } from 'node:crypto';
import { dirname } from 'node:path';
import { isScalar } from 'yaml';
import { expandPlan } from '../plan/expand.ts';
import type { Plan } from '../plan/plan.ts';
import { SpecDocument, type Path } from './document.ts';
import { draftOf } from './draft.ts';
import { interpolate, type Environment, type Interpolation } from './interpolation.ts';
import { byPosition, type Problem } from './problem.ts';
import { REGISTRIES, type SpecRegistries } from './registries.ts';
import { checkRules } from './rules/check.ts';
import type { Spec } from './spec.generated.ts';
import { readSpecFile } from './spec-file.ts';
import { schemaErrors } from './validator.ts';
import { pathOf, wordSchemaErrors } from './wording.ts';

export interface LoadOptions {
  /** Where `${NAME}` is looked up. Default: nowhere, so that a library never reads the environment unasked. */
  env?: Environment;
  /** Instead of the spec's own seed. */
  seed?: number;
  registries?: SpecRegistries;
}

export type LoadOutcome = { kind: 'ok'; spec: Spec; plan: Plan } | { kind: 'invalid'; problems: Problem[] };

/** Reads, validates and expands a spec file. Never throws for what is in the file or for the file being absent. */
export async function loadSpec(path: string, options: LoadOptions = {}): Promise<LoadOutcome> {
  const file = await readSpecFile(path);
  return file.kind === 'ok'
    ? parseSpec(path, file.text, options)
    : { kind: 'invalid', problems: [file.problem] };
}

/** The same for a text; `path` is its name in problems, and relative file names in it begin in that folder. */
export function parseSpec(path: string, text: string, options: LoadOptions = {}): LoadOutcome {
  const { env = {}, registries = REGISTRIES } = options;
  const document = new SpecDocument(path, text);
  const problems = document.syntaxProblems();
  if (!document.isReadable) return { kind: 'invalid', problems: problems.toSorted(byPosition) };
  if (document.isEmpty) return { kind: 'invalid', problems: [document.problem([], 'value', EMPTY)] };

  const read = readData(document, env, registries);
  if (read.kind === 'invalid') return read;
  problems.push(...read.problems);
  checkRules({
    spec: draftOf(read.data, registries),
    data: read.data,
    registries,
    env,
    folder: dirname(path),
    report: (at, part, wording) => {
      if (!read.isMeaningless(at)) problems.push(document.problem(at, part, wording));
    },
  });
  if (problems.length > 0 || !isSpec(read.data, registries))
    return { kind: 'invalid', problems: distinct(problems) };
  const sha256 = createHash('sha256').update(text).digest('hex');
  const seed = options.seed === undefined ? {} : { seed: options.seed };
  return {
    kind: 'ok',
    spec: read.data,
    plan: expandPlan(read.data, { ...seed, specPath: path, sha256, registries }),
  };
}

const EMPTY = {
  message: 'there is nothing in this file',
  expected: 'name, instances and a topology; see specs/minimal.yaml',
};

interface ReadData {
  kind: 'ok';
  data: unknown;
  problems: Problem[];
  /** Does the path lead to a text whose environment variable is missing? Nothing more is to be said about it. */
  isMeaningless(path: Path): boolean;
}

function readData(
  document: SpecDocument,
  env: Environment,
  registries: SpecRegistries,
): ReadData | { kind: 'invalid'; problems: Problem[] } {
  const interpolation = interpolate(document, env);
  const converted = document.toValue();
  if (converted.kind === 'invalid') return converted;
  const { data } = converted;
  keepNumberTexts(document, data);
  convertInterpolated(document, data, interpolation, registries);

  const problems: Problem[] = [];
  for (const [node, wording] of interpolation.failed) problems.push(document.problemAt(node, wording));
  const isMeaningless = (path: Path): boolean => {
    const node = document.nodeAt(path);
    return node !== undefined && (interpolation.failed.has(node) || document.hasUnknownTag(node));
  };
  for (const { path, part, wording } of wordSchemaErrors(schemaErrors(data, registries))) {
    if (!isMeaningless(path)) problems.push(document.problem(path, part, wording));
  }
  return { kind: 'ok', data, problems, isMeaningless };
}

/** `version: 7.10` is a number to YAML and would become 7.1: where texts are meant, the digits are kept as written. */
function keepNumberTexts(document: SpecDocument, data: unknown): void {
  const instances = childOf(data, 'instances');
  for (const name of Object.keys(isRecord(instances) ? instances : {})) {
    const instance = childOf(instances, name);
    keepText(document, instance, ['instances', name, 'version']);
    const config = childOf(instance, 'config');
    for (const key of Object.keys(isRecord(config) ? config : {}))
      keepText(document, config, ['instances', name, 'config', key]);
  }
}

function keepText(document: SpecDocument, parent: unknown, path: Path): void {
  const key = path.at(-1);
  const node = document.nodeAt(path);
  if (key === undefined || !isRecord(parent) || typeof parent[key] !== 'number' || !isScalar(node)) return;
  if (node.source !== undefined) parent[key] = node.source;
}

/** `keys: ${KEYS}` is a text until here; where the schema wants a number or a boolean and it looks like one, it becomes one. */
function convertInterpolated(
  document: SpecDocument,
  data: unknown,
  { replaced }: Interpolation,
  registries: SpecRegistries,
): void {
  if (replaced.size === 0) return;
  for (const error of schemaErrors(data, registries)) {
    const path = pathOf(error.instancePath);
    const node = document.nodeAt(path);
    if (
      error.keyword !== 'type' ||
      typeof error.data !== 'string' ||
      node === undefined ||
      !replaced.has(node)
    )
      continue;
    const value = scalarOf(error.data);
    const parent = path.slice(0, -1).reduce<unknown>(childOf, data);
    const key = path.at(-1);
    if (value !== undefined && key !== undefined && isRecord(parent)) parent[key] = value;
  }
}

function scalarOf(text: string): number | boolean | undefined {
  if (text === 'true' || text === 'false') return text === 'true';
  return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : undefined;
}

function isSpec(data: unknown, registries: SpecRegistries): data is Spec {
  return schemaErrors(data, registries).length === 0;
}

function distinct(problems: readonly Problem[]): Problem[] {
  const seen = new Map(
    problems.map((problem) => [`${problem.line}:${problem.column}:${problem.message}`, problem]),
  );
  return [...seen.values()].toSorted(byPosition);
}

function childOf(parent: unknown, key: string | number): unknown {
  return isRecord(parent) ? parent[key] : undefined;
}

function isRecord(value: unknown): value is Record<string | number, unknown> {
  return typeof value === 'object' && value !== null;
}
