/** Loads specs for a command; when one is wrong, prints every problem of all of them. */
import { ERROR_CODES } from '../../engine/errors.ts';
import type { Plan } from '../plan/plan.ts';
import { loadSpec } from '../spec/load.ts';
import { formatProblems, type Problem } from '../spec/problem.ts';
import type { Spec } from '../spec/spec.generated.ts';
import type { CommandContext } from './context.ts';

/** A valid spec as it is written, and its plan. */
export interface LoadedSpec {
  spec: Spec;
  plan: Plan;
}

export type Loaded = { kind: 'ok'; plans: Plan[] } | { kind: 'invalid'; problems: Problem[] };

export async function loadPlans(paths: readonly string[], context: CommandContext): Promise<Loaded> {
  const loaded = await loadSpecs(paths, context);
  return loaded.kind === 'ok' ? { kind: 'ok', plans: loaded.specs.map(({ plan }) => plan) } : loaded;
}

export async function loadSpecs(
  paths: readonly string[],
  context: CommandContext,
): Promise<{ kind: 'ok'; specs: LoadedSpec[] } | { kind: 'invalid'; problems: Problem[] }> {
  const { io, seed } = context;
  const options = seed === undefined ? { env: io.env } : { env: io.env, seed };
  const outcomes = await Promise.all(paths.map((path) => loadSpec(path, options)));
  const problems = outcomes.flatMap((outcome) => (outcome.kind === 'invalid' ? outcome.problems : []));
  if (problems.length > 0) return { kind: 'invalid', problems };
  return { kind: 'ok', specs: outcomes.flatMap((outcome) => (outcome.kind === 'ok' ? [outcome] : [])) };
}

/** For commands whose result is something else: problems to stderr, the error document to stdout under --json. */
export function refuse(problems: readonly Problem[], { io }: CommandContext): number {
  io.err(formatProblems(problems, io.errColors));
  const exitCode = ERROR_CODES.SPEC_INVALID;
  if (io.json) {
    const error = { code: 'SPEC_INVALID', message: `${problems.length} problems in the spec` };
    io.out(`${JSON.stringify({ error, problems, exitCode }, null, 2)}\n`);
  }
  return exitCode;
}
