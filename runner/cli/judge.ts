/** `redis-sync judge RUN`: judges a run again, from its folder. */
import type { CommandContext } from './context.ts';
import { findRun } from './report.ts';

export async function judgeCommand(run: string, { io, out }: CommandContext): Promise<number> {
  const folder = findRun(run, out, 'events.ndjson');
  const { judgeFolder, printJudgement } = await import('../run/judge.ts');
  const judgement = await judgeFolder(folder);
  printJudgement(judgement, io);
  return judgement.exitCode;
}
