/**
 * The end of a link. After the cutover the target has every deadline as the source has set it, and goes by its own clock; a
 * link that is only stopped leaves them late, for its next start.
 */
import { delay } from '../../psync/backoff.ts';
import type { LinkFinding } from '../finding.ts';
import type { StreamApplier } from '../stream-applier.ts';
import type { Target } from '../target.ts';
import type { LaneExpiry } from './lane-expiry.ts';

/** How often, how far apart, the target is asked to take them. */
const TURNS = 10;
const PAUSE_MS = 500;

export interface EndDeferralOptions {
  stream: StreamApplier;
  target: Target;
  expiry: LaneExpiry;
  onFinding: (finding: LinkFinding) => void;
  signal: AbortSignal;
}

/**
 * What a settled target does not take in a few seconds stays late, which is said, and is for the next start.
 *
 * @throws SyncError when the link must stop.
 */
export async function endDeferral(options: EndDeferralOptions): Promise<void> {
  const { stream, target, expiry, onFinding, signal } = options;
  const { keeper, watch } = expiry;
  for (let turn = 0; turn < TURNS && keeper.settled && keeper.known > 0; turn++) {
    if (turn > 0) await delay(PAUSE_MS, signal);
    stream.settleExpiries();
    await stream.drain();
  }
  await stream.renewMark();
  if (keeper.settled && target.current) await watch.farewell(target.current);
  if (keeper.count > 0)
    onFinding(keeper.settled ? keeper.wordLate('it did not answer in time.') : keeper.wordDeferred());
}
