/** A service that replicates already, outside of us: nothing is started, nothing is ended; it is waited for, and verified. */
import type { EngineResult } from '../../../reports/results.ts';
import type { WatchPlan } from '../../plan/driver.ts';
import type { DriverOptions, EngineDriver } from './driver.ts';
import { OutsideLink } from './outside-link.ts';
import { ReportedLinks } from './reported-links.ts';

export class ExternalDriver extends ReportedLinks<OutsideLink> implements EngineDriver {
  readonly logFiles = {};
  readonly description: EngineResult = {
    driver: 'external',
    what: 'A service that was running already. Nothing was started or stopped for it: it was waited for, and its result verified.',
    notes: [
      'Whether it had caught up is seen from the number of keys and from the target coming to rest, not from offsets.',
      'What it did inside (commands, resyncs, retries, refusals, lag) is unknown.',
    ],
  };

  constructor(options: DriverOptions, watch: WatchPlan) {
    super(options.links.map((plan) => new OutsideLink(plan, options, { watch })));
  }
}
