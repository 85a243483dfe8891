/** Everything about expiries on one target, put together: what a lane has, and its snapshot and stream appliers use. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { ExpiryOptions } from '../../link/options.ts';
import type { LinkFinding } from '../finding.ts';
import { ExpiryKeeper } from './expiry-keeper.ts';
import type { SourceTimeline } from './source-timeline.ts';
import { TargetClock } from './target-clock.ts';

export interface LaneExpiryOptions {
  options: ExpiryOptions;
  spoolFolder: string;
  diskBytesMax: number;
  timeline: SourceTimeline;
  wallClock: () => number;
  sourceOffsetMs: () => number | undefined;
  onFinding: (finding: LinkFinding) => void;
}

export interface LaneExpiry {
  keeper: ExpiryKeeper;
  watch: TargetClock;
  timeline: SourceTimeline;
  guardMs: number;
}

export function openLaneExpiry(lane: LaneExpiryOptions): LaneExpiry {
  const { options, timeline, wallClock, sourceOffsetMs, onFinding, diskBytesMax } = lane;
  const { graceMs, guardMs, importMode, rememberedMax } = options;
  const watch = new TargetClock({ importMode, wallClock, onFinding });
  const keeper = new ExpiryKeeper({
    limits: { graceMs, guardMs, rememberedMax },
    spoolPath: join(lane.spoolFolder, `deferred-${randomBytes(6).toString('hex')}`),
    diskBytesMax,
    timeline,
    wallClock,
    sourceOffsetMs,
    targetOffsetMs: () => watch.offsetMs,
    isImporting: () => watch.importing,
    onFinding,
  });
  return { keeper, watch, timeline, guardMs };
}
