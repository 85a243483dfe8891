/** Where nobody can tell whose write it was: no finding FOREIGN_WRITE, so nothing to rehearse. */
import type { ScenarioSubject } from './scenario.ts';

/** Why writes of others to the subject's target go unseen; null when they are seen. */
export function whyUnwatched({ isCircle, isTargetShared }: ScenarioSubject): { unfit: string } | null {
  if (isCircle) return { unfit: 'the target is a source too: what is written there belongs to it' };
  return isTargetShared
    ? { unfit: 'several links write to the target, and may write whatever they like' }
    : null;
}
