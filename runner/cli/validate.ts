/** `redis-sync validate SPEC…`: the problems are the result. */
import { ERROR_CODES } from '../../engine/errors.ts';
import { formatProblems } from '../spec/problem.ts';
import type { CommandContext } from './context.ts';
import { loadPlans } from './load-plans.ts';

export async function validate(paths: readonly string[], context: CommandContext): Promise<number> {
  const { io } = context;
  const loaded = await loadPlans(paths, context);
  const problems = loaded.kind === 'invalid' ? loaded.problems : [];
  if (io.json) {
    io.out(`${JSON.stringify({ valid: problems.length === 0, specs: paths, problems }, null, 2)}\n`);
  } else if (problems.length > 0) {
    io.out(formatProblems(problems, io.outColors));
  } else if (!io.quiet) {
    for (const path of paths) io.out(`${path}: ${io.outColors.green('ok')}\n`);
  }
  return problems.length === 0 ? 0 : ERROR_CODES.SPEC_INVALID;
}
