/** Is an instance there already? Of a spec's instance (also a draft with holes) and of a plan's. */

/** The keys that say where an existing instance is; exactly one of them, or none for one that is provisioned. */
export const PLACE_KEYS = ['url', 'urls', 'sentinel'] as const;

export type PlaceKey = (typeof PLACE_KEYS)[number];

export function placeKeyOf(instance: { readonly [Key in PlaceKey]?: unknown }): PlaceKey | undefined {
  return PLACE_KEYS.find((key) => instance[key] !== undefined);
}

export function isExisting(instance: { readonly [Key in PlaceKey]?: unknown }): boolean {
  return placeKeyOf(instance) !== undefined;
}
