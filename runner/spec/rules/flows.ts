/** The links of a draft, from its topology or its explicit links, each with the places it was written at. */
import type { LinkPlan } from '../../plan/plan.ts';
import { defaultLinkId } from '../../plan/topologies/link-id.ts';
import { parseSlotRanges } from '../../plan/topologies/slot-ranges.ts';
import type { Path } from '../document.ts';
import type { Draft, SpecDraft } from '../draft.ts';
import type { SpecRegistries } from '../registries.ts';
import type { Link } from '../spec.generated.ts';

export interface Flow extends LinkPlan {
  path: Path;
  sourcePath: Path;
  targetPath: Path;
  /** It comes from a topology that may lead back to where it begins. */
  mayCircle: boolean;
}

/** Only links with both ends; a topology with a hole in it has none. */
export function flowsOf(spec: SpecDraft, registries: SpecRegistries): Flow[] {
  const flows = (spec.links ?? []).flatMap((link, position) => explicitFlow(link, position) ?? []);
  const { topology } = spec;
  const definition = registries.topologies.find(({ kind }) => kind === topology?.kind);
  const isWhole =
    definition?.schema.required?.every((key) => topology !== undefined && key in topology) === true;
  if (definition === undefined || topology === undefined || !isWhole || hasHole(topology)) return flows;
  const expanded = definition.expand(topology).map(({ link, source, target }) => ({
    ...link,
    path: ['topology'],
    sourcePath: ['topology', ...source],
    targetPath: ['topology', ...target],
    mayCircle: definition.mayCircle === true,
  }));
  return [...flows, ...expanded];
}

function explicitFlow(link: Draft<Link> | undefined, position: number): Flow | undefined {
  if (link?.source === undefined || link.target === undefined) return undefined;
  const { source, target, id = defaultLinkId(source, target), incrementalOnly, startsAfter } = link;
  const path: Path = ['links', position];
  return {
    id,
    source,
    target,
    ...(incrementalOnly === true ? { incrementalOnly } : {}),
    ...(startsAfter === undefined ? {} : { startsAfter }),
    ...(link.owns === undefined ? {} : { owns: link.owns.filter((pattern) => pattern !== undefined) }),
    ...(link.codisSlots === undefined ? {} : { codisSlots: parseSlotRanges(link.codisSlots) }),
    path,
    sourcePath: [...path, 'source'],
    targetPath: [...path, 'target'],
    mayCircle: false,
  };
}

/** Something in it was wrong and taken out. */
function hasHole(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return value === undefined;
  return Object.values(value).some(hasHole);
}
