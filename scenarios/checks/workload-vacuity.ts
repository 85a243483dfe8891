/** A workload that sent nothing, or a kind of command that never succeeded, proves nothing about it. */
import { plural } from '../../reports/display.ts';
import type { WorkloadResult } from '../../reports/results.ts';
import { result, sum, type CheckContext, type CheckDefinition } from './check.ts';

const NAME = 'workload-vacuity';

export const workloadVacuity: CheckDefinition = {
  name: NAME,
  summary: 'Every workload sent commands, and every kind of command it mixes succeeded at least once.',
  judge: (context) => [judgeWorkload(context)],
};

function judgeWorkload({ workload }: CheckContext) {
  if (workload.length === 0) return result(NAME, 'skipped', 'There was no workload.');
  const complaints = workload.flatMap(complaintsAbout);
  const ok = sum(workload.map((item) => item.ok));
  const counts = { sent: sum(workload.map((item) => item.sent)), ok };
  if (complaints.length > 0) return result(NAME, 'unknown', complaints.join(' '), counts);
  return result(NAME, 'pass', `${plural(ok, 'command')} succeeded, every kind at least once.`, counts);
}

function complaintsAbout(workload: WorkloadResult): string[] {
  if (workload.sent === 0) return [`Workload ${workload.name} sent nothing.`];
  if (workload.ok === 0)
    return [`Workload ${workload.name} sent ${plural(workload.sent, 'command')}, none succeeded.`];
  const commands = Object.entries(workload.perCommand).flatMap(([command, count]) =>
    count.ok === 0 ? [command] : [],
  );
  const never = new Set([...commands, ...(workload.neverSucceeded ?? [])]);
  return never.size === 0 ? [] : [`Workload ${workload.name}: ${[...never].join(', ')} never succeeded.`];
}
