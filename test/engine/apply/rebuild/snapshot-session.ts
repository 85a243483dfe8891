/** A snapshot applier with a real target, for tests that push snapshots into it. Test support only. */
import { newCounters, type LinkCounters } from '../../../../engine/apply/counters.ts';
import type { LinkFinding } from '../../../../engine/apply/finding.ts';
import { SnapshotApplier, type SnapshotApplierOptions } from '../../../../engine/apply/snapshot-applier.ts';
import { measureTarget, type TargetFacts } from '../../../../engine/apply/target-facts.ts';
import { Target } from '../../../../engine/apply/target.ts';
import type { Endpoint } from '../../../../engine/connect/endpoint.ts';

export interface Session {
  counters: LinkCounters;
  findings: LinkFinding[];
  facts: TargetFacts;
}

export interface SessionOptions extends Partial<Pick<SnapshotApplierOptions, 'inlineBytesMax'>> {
  link?: string;
  /** What the applier is made to believe about its target. */
  believe?: (facts: TargetFacts) => TargetFacts;
  /** Before each piece; the number of pieces so far. */
  before?: (pieces: number) => Promise<void>;
}

/** Applies a snapshot, given in pieces, the way a lane does. */
export async function applySnapshot(
  endpoint: Endpoint,
  pieces: Iterable<Buffer>,
  options: SessionOptions = {},
): Promise<Session> {
  const counters = newCounters();
  const findings: LinkFinding[] = [];
  const { signal } = new AbortController();
  const target = new Target({
    endpoint,
    name: 'redis-sync:test',
    replyTimeoutMs: 10_000,
    retryMs: 10_000,
    random: () => 0,
    now: () => performance.now(),
    onWaiting: () => counters.retries++,
    onWorking: () => undefined,
  });
  try {
    const connection = await target.connect(signal);
    const measured = await measureTarget(connection);
    const facts = options.believe?.(measured) ?? measured;
    const applier = new SnapshotApplier({
      link: options.link ?? 'test',
      target,
      facts,
      counters,
      heartbeatPrefix: 'heartbeat',
      onFinding: (finding) => findings.push(finding),
      reconciliation: undefined,
      signal,
      ...(options.inlineBytesMax === undefined ? {} : { inlineBytesMax: options.inlineBytesMax }),
    });
    await applier.begin(connection);
    let count = 0;
    for (const piece of pieces) {
      await options.before?.(count++);
      await applier.push(piece);
    }
    await applier.finish();
    return { counters, findings, facts };
  } finally {
    await target.close();
  }
}
