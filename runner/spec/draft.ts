/**
 * A spec that has been through the schema but need not have passed: what was wrong is taken out, what is there has the
 * right type. So the rules can look at the rest, and all problems come in one pass.
 */
import { schemaErrors } from './validator.ts';
import type { Part, Path } from './document.ts';
import type { SpecRegistries } from './registries.ts';
import type { Spec } from './spec.generated.ts';
import { wordSchemaErrors } from './wording.ts';

export type Draft<T> = T extends readonly (infer Item)[]
  ? readonly (Draft<Item> | undefined)[]
  : T extends object
    ? { readonly [Key in keyof T]?: Draft<T[Key]> | undefined }
    : T;

export type SpecDraft = Draft<Spec>;

/** Taking out one thing can uncover another (an object that is now too small): this many rounds are enough. */
const ROUNDS_MAX = 5;

/** The data without what the schema complains about. Nothing is left of data that is no object at all. */
export function draftOf(data: unknown, registries: SpecRegistries): SpecDraft {
  const copy: unknown = structuredClone(data);
  for (let round = 0; round < ROUNDS_MAX; round++) {
    if (isDraft(copy, registries)) return copy;
    for (const { path, part } of removals(copy, registries)) takeOut(copy, path, part);
  }
  return {};
}

/** Everything in it has the right type; keys may be missing. */
function isDraft(data: unknown, registries: SpecRegistries): data is SpecDraft {
  return isContainer(data) && !Array.isArray(data) && removals(data, registries).length === 0;
}

function removals(data: unknown, registries: SpecRegistries): { path: Path; part: Part }[] {
  const errors = schemaErrors(data, registries).filter((error) => error.data !== undefined);
  return wordSchemaErrors(errors).filter((complaint) => complaint.remove);
}

/** An unknown key goes; a wrong value leaves `undefined` behind, so that list positions and names stay what they are. */
function takeOut(data: unknown, path: Path, part: Part): void {
  let parent = data;
  for (const segment of path.slice(0, -1)) parent = isContainer(parent) ? parent[segment] : undefined;
  const last = path.at(-1);
  if (last === undefined || !isContainer(parent)) return;
  if (part === 'key') delete parent[last];
  else parent[last] = undefined;
}

function isContainer(value: unknown): value is Record<string | number, unknown> {
  return typeof value === 'object' && value !== null;
}
