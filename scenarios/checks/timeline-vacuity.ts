/** A rehearsal whose fault never happened, or had no effect, rehearsed nothing. */
import { plural } from '../../reports/display.ts';
import { faultsOf } from '../../reports/history.ts';
import type { FaultResult } from '../../reports/results.ts';
import { result, type CheckContext, type CheckDefinition } from './check.ts';

const NAME = 'timeline-vacuity';

export const timelineVacuity: CheckDefinition = {
  name: NAME,
  summary: 'Every timeline step that is not optional fired and had an effect.',
  judge: (context) => [judgeTimeline(context)],
};

function judgeTimeline({ steps, events }: CheckContext) {
  if (steps.length === 0) return result(NAME, 'skipped', 'The timeline is empty.');
  const fired = faultsOf(events);
  const complaints = steps.flatMap((step) => {
    const complaint = complaintAbout(
      step.id,
      fired.filter((fault) => fault.step === step.id),
    );
    return complaint === null ? [] : [{ ...step, complaint }];
  });
  const required = complaints.filter((step) => !step.optional);
  const counts = { steps: steps.length, effective: steps.length - complaints.length };
  if (required.length > 0)
    return result(NAME, 'unknown', required.map((step) => step.complaint).join(' '), counts);
  const missed = complaints.length > 0 ? ` (${plural(complaints.length, 'optional step')} did not)` : '';
  return result(NAME, 'pass', `${plural(counts.effective, 'step')} took effect${missed}.`, counts);
}

function complaintAbout(step: string, firings: readonly FaultResult[]): string | null {
  const bad = firings.find((fault) => fault.outcome !== 'effective');
  if (firings.length === 0) return `Step ${step} never fired.`;
  if (bad === undefined) return null;
  const why = bad.reason === null ? '' : `: ${bad.reason.replace(/\.$/, '')}`;
  return bad.outcome === 'never-fired'
    ? `Step ${step} never fired${why}.`
    : `Step ${step} had no effect${why}.`;
}
