/** `judge`: the verdict of a run from its folder, whether it came to its end or not. Reads `plan.json` and `events.ndjson`. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { asError, SyncError } from '../../engine/errors.ts';
import { parseHistory } from '../../reports/history.ts';
import type { CheckResult } from '../../reports/results.ts';
import { contextOf } from '../../scenarios/checks/context.ts';
import { judge, type Judgement } from '../../scenarios/checks/judge.ts';
import { parseJudgedPlan } from '../../scenarios/checks/parse-plan.ts';
import type { Io } from '../cli/io.ts';
import { EVENTS_FILE } from './history.ts';

/** @throws SyncError USAGE when the folder is not that of a run, or of one that an older version recorded otherwise. */
export async function judgeFolder(folder: string): Promise<Judgement> {
  const plan = parseJudgedPlan(await read(join(folder, 'plan.json')));
  if (plan.kind === 'invalid') {
    throw new SyncError('USAGE', `This is not a plan this version can read: ${plan.problem}.`, {
      where: join(folder, 'plan.json'),
    });
  }
  const { events } = parseHistory(await read(join(folder, EVENTS_FILE)));
  return judge(contextOf(plan.plan, events));
}

/** A line per check and the verdict; the whole judgement under --json. */
export function printJudgement(judgement: Judgement, io: Io): void {
  if (io.json) {
    io.out(`${JSON.stringify(judgement, null, 2)}\n`);
    return;
  }
  const width = Math.max(...judgement.checks.map(({ check }) => check.length));
  for (const { check, verdict, summary } of judgement.checks)
    io.out(`${markOf(verdict, io)} ${check.padEnd(width)}  ${summary}\n`);
  io.out(
    `${markOf(judgement.verdict, io)} ${io.outColors.bold(judgement.verdict.toUpperCase())} ${judgement.summary}\n`,
  );
}

function markOf(verdict: CheckResult['verdict'], { outColors }: Io): string {
  switch (verdict) {
    case 'pass':
      return outColors.green('✓');
    case 'fail':
      return outColors.red('✗');
    case 'unknown':
      return outColors.yellow('?');
    case 'skipped':
      return outColors.dim('-');
    default:
      return verdict satisfies never;
  }
}

async function read(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new SyncError('USAGE', `The run cannot be read: ${asError(error).message}.`, {
      where: path,
      hint: 'A run folder has plan.json and events.ndjson.',
      cause: error,
    });
  }
}
