/**
 * Where data has been: the instances it was written to, the first one first, as it stands in the `path` of a checkpoint. A
 * link does not bring data to an instance that it has been to: so nothing comes back, in pairs, chains and rings.
 *
 *   A ─▶ B ─▶ C ─▶ A        written to A:  A→B says "A",  B→C says "A,B",  C→A would bring it to A: left out
 */

/** Stable names of the two instances of a link, the same in every link and every run. */
export interface Origins {
  source: string;
  target: string;
}

/**
 * Of what a snapshot holds: it does not tell where each key comes from. So it is brought to nobody of the circle: older values
 * of their own would replace newer ones.
 */
export const ANYWHERE = '*';

/** Of what was written to the source itself. */
export function ownPath({ source }: Origins): string {
  return encodeURIComponent(source);
}

/** Of what came to the source with this path. */
export function pathThrough(path: string, { source }: Origins): string {
  return `${path},${encodeURIComponent(source)}`;
}

/** The instance that it was written to first; `*` when nobody knows. */
export function originOf(path: string): string {
  return decodeURIComponent(path.split(',', 1)[0] ?? '');
}

export function hasVisited(path: string, instance: string): boolean {
  if (path === ANYWHERE) return true;
  return path.split(',').includes(encodeURIComponent(instance));
}
