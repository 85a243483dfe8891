/**
 * Redis's own replication as the engine: every target becomes a replica of its source. The reference that ours is held against,
 * and what a migration with nothing but REPLICAOF would be.
 */
import type { EngineResult } from '../../../reports/results.ts';
import type { DriverOptions, EngineDriver } from './driver.ts';
import { ReplicaLink } from './replica-link.ts';
import { ReportedLinks } from './reported-links.ts';

export class ReplicaDriver extends ReportedLinks<ReplicaLink> implements EngineDriver {
  readonly logFiles = {};
  readonly description: EngineResult = {
    driver: 'replica',
    what: "Redis's own replication: every target was a replica of its source (REPLICAOF), and was promoted when it had caught up.",
    notes: [
      'Offsets, resyncs and lag are measured from INFO of both sides; lag is an upper bound, as fine as the polling.',
      'What its stream held is not told: commands, drops and refusals are unknown. A replica applies or falls out.',
      'A target that came back without knowing its source was told again; nothing else was helped along.',
    ],
  };

  constructor(options: DriverOptions) {
    super(
      options.links.map((plan) => {
        const readers = options.links.filter(({ source }) => source === plan.source).length;
        return new ReplicaLink(plan, options, { isOnlyReader: readers === 1 });
      }),
    );
  }
}
