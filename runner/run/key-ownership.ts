/** Looks whether sources with one target hold different keys, each its own, and reports what is not so as findings. */
import { sampleKeyOwners, type OwnedSource, type SampledKey } from '../../engine/compare/key-owners.ts';
import type { Endpoint } from '../../engine/connect/endpoint.ts';
import { KeyPattern } from '../../engine/keys/key-pattern.ts';
import { plural } from '../../reports/display.ts';
import type { RunEventBody } from '../../reports/events.ts';
import { quoteArgument } from '../../reports/redis-cli.ts';
import type { CodisSlotTable } from '../../scenarios/data/placement.ts';
import type { ComparisonPlan } from '../plan/comparisons.ts';
import type { LinkPlan } from '../plan/plan.ts';

export interface OwnershipCheck {
  /** A union: only there several sources are asked about. */
  comparison: ComparisonPlan;
  links: readonly LinkPlan[];
  endpointsOf: (instance: string) => Promise<Endpoint[]>;
  /** Where the slots of Codis groups are now. */
  slots: CodisSlotTable | undefined;
  heartbeatPrefix: string;
  signal?: AbortSignal;
}

/** Findings KEY_OVERLAP and KEY_NOT_OWNED, one each at most, with examples. @throws SyncError as sampleKeyOwners. */
export async function checkKeyOwnership(
  check: OwnershipCheck,
): Promise<(RunEventBody & { kind: 'finding' })[]> {
  const { comparison, links, endpointsOf, slots, heartbeatPrefix, signal } = check;
  const sources = await Promise.all(
    comparison.sources.map(async (name) => ({
      name,
      endpoints: await endpointsOf(name),
      ...ownerRule(
        links.find(({ source, target }) => source === name && target === comparison.target),
        slots,
      ),
    })),
  );
  const found = await sampleKeyOwners(sources, {
    ignorePrefixes: [heartbeatPrefix],
    ...(signal ? { signal } : {}),
  });
  const findings: (RunEventBody & { kind: 'finding' })[] = [];
  const [shared, misplaced] = [found.shared[0], found.misplaced[0]];
  if (shared !== undefined) {
    findings.push({
      kind: 'finding',
      code: 'KEY_OVERLAP',
      severity: 'error',
      message: `${plural(found.sharedCount, 'key')} of ${comparison.target} ${found.sharedCount === 1 ? 'is' : 'are'} in several sources, such as ${describeKey(shared)}.`,
      evidence: { count: found.sharedCount, sampled: found.sampled, keys: found.shared.map(evidenceOf) },
    });
  }
  if (misplaced !== undefined) {
    findings.push({
      kind: 'finding',
      code: 'KEY_NOT_OWNED',
      severity: 'error',
      message: `${plural(found.misplacedCount, 'key')} ${found.misplacedCount === 1 ? 'is' : 'are'} in a source that does not own ${found.misplacedCount === 1 ? 'it' : 'them'}, such as ${describeKey(misplaced)}.`,
      evidence: {
        count: found.misplacedCount,
        sampled: found.sampled,
        keys: found.misplaced.map(evidenceOf),
      },
    });
  }
  return findings;
}

/** What a link says about the keys of its source. */
function ownerRule(link: LinkPlan | undefined, slots: CodisSlotTable | undefined): Pick<OwnedSource, 'owns'> {
  if (link?.codisSlots !== undefined && slots !== undefined)
    return { owns: (key) => slots.place(key) === link.source };
  if (link?.owns === undefined) return {};
  const patterns = link.owns.map((text) => new KeyPattern(text));
  return { owns: (key) => patterns.some((pattern) => pattern.matches(key)) };
}

function describeKey({ database, key, owners }: SampledKey): string {
  return `${quoteArgument(key)} in db ${database} of ${owners.join(' and ')}`;
}

function evidenceOf({ database, key, owners }: SampledKey): object {
  return { database, key: quoteArgument(key), owners };
}
