/** The links of a draft, from its topology or its explicit links, each with the place it was written at. */
import { defaultLinkId } from '../../plan/topologies/one-way.ts';
import type { Path } from '../document.ts';
import type { SpecDraft } from '../draft.ts';
import type { SpecRegistries } from '../registries.ts';

export interface Flow {
  id: string;
  source: string;
  target: string;
  path: Path;
}

/** Only links with both ends; a topology with a hole in it has none. */
export function flowsOf(spec: SpecDraft, registries: SpecRegistries): Flow[] {
  const flows: Flow[] = [];
  for (const [position, link] of (spec.links ?? []).entries()) {
    if (link?.source === undefined || link.target === undefined) continue;
    const { source, target, id = defaultLinkId(source, target) } = link;
    flows.push({ id, source, target, path: ['links', position] });
  }
  const { topology } = spec;
  const definition = registries.topologies.find(({ kind }) => kind === topology?.kind);
  const isWhole =
    definition?.schema.required?.every((key) => topology !== undefined && key in topology) === true;
  if (definition === undefined || topology === undefined || !isWhole) return flows;
  const whole = Object.values(topology).every((value) => value !== undefined);
  return whole
    ? [...flows, ...definition.expand(topology).map((link) => ({ ...link, path: ['topology'] }))]
    : flows;
}
