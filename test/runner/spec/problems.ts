/** Loads a text as if it were specs/x.yaml and shows its problems as a person sees them. */
import { parseSpec, type LoadOptions } from '../../../runner/spec/load.ts';
import { formatProblem, type Problem } from '../../../runner/spec/problem.ts';
import type { Plan } from '../../../runner/plan/plan.ts';

/** What every spec below begins with, when it is about something else. Five lines. */
export const HEAD = `name: x
instances:
  source: {}
  target: {}
topology: { kind: one-way, source: source, target: target }
`;

/** The same with another source, on line 3. */
export function withSource(text: string): string {
  return HEAD.replace('source: {}', `source: ${text}`);
}

export function problemsOf(text: string, options: LoadOptions = {}): Problem[] {
  const outcome = parseSpec('specs/x.yaml', text, options);
  return outcome.kind === 'invalid' ? outcome.problems : [];
}

/** One line per problem: `line:column message`. */
export function linesOf(text: string, options: LoadOptions = {}): string[] {
  return problemsOf(text, options).map(({ line, column, message }) => `${line}:${column} ${message}`);
}

/** All problems as printed. */
export function printed(text: string, options: LoadOptions = {}): string {
  return problemsOf(text, options)
    .map((problem) => formatProblem(problem))
    .join('\n');
}

/** The plan of a text that must be valid. */
export function planOf(text: string, options: LoadOptions = {}): Plan {
  const outcome = parseSpec('specs/x.yaml', text, options);
  if (outcome.kind === 'ok') return outcome.plan;
  throw new Error(outcome.problems.map((problem) => formatProblem(problem)).join('\n'));
}
