/** One thing that is wrong with a spec, and how it is shown to a person. */
import type { createColors } from 'picocolors';

export type Colors = ReturnType<typeof createColors>;

export interface Problem {
  /** As given on the command line. */
  file: string;
  /** Counted from 1; 0 = the file as a whole. */
  line: number;
  column: number;
  message: string;
  /** What would be right. */
  expected?: string;
  /** The offending line, without secrets, and what to underline in it (column from 1). */
  excerpt?: { text: string; column: number; width: number };
}

/** `file:line:column`, or the file alone. */
export function describePosition(problem: Problem): string {
  return problem.line === 0 ? problem.file : `${problem.file}:${problem.line}:${problem.column}`;
}

/** Several lines: position and message, the offending line with carets under it, what was expected. */
export function formatProblem(problem: Problem, colors?: Colors): string {
  const paint = (style: 'bold' | 'red' | 'dim', text: string): string =>
    colors === undefined ? text : colors[style](text);
  const lines = [`${paint('bold', describePosition(problem))}: ${problem.message}`];
  const { excerpt } = problem;
  const gutter = ' '.repeat(String(problem.line).length);
  if (excerpt !== undefined) {
    const carets = '^'.repeat(Math.max(1, excerpt.width));
    lines.push(`  ${paint('dim', `${problem.line} |`)} ${excerpt.text}`);
    lines.push(`  ${paint('dim', `${gutter} |`)} ${' '.repeat(excerpt.column - 1)}${paint('red', carets)}`);
  }
  if (problem.expected !== undefined) {
    lines.push(
      `  ${paint('dim', `${excerpt === undefined ? '' : `${gutter} = `}expected:`)} ${problem.expected}`,
    );
  }
  return lines.join('\n');
}

/** All of them, and a line that counts them. */
export function formatProblems(problems: readonly Problem[], colors?: Colors): string {
  const blocks = problems.map((problem) => formatProblem(problem, colors));
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
  return `${blocks.join('\n\n')}\n\n${count}\n`;
}

export function byPosition(a: Problem, b: Problem): number {
  return a.line - b.line || a.column - b.column || (a.message < b.message ? -1 : 1);
}
