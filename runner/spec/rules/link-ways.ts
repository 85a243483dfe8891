/** Where data gets to along the links. */
import type { Flow } from './flows.ts';

/** The instances on a way along the links, both ends included. */
export function wayBetween(
  flows: readonly Flow[],
  from: string,
  to: string,
  seen: readonly string[] = [],
): string[] | undefined {
  if (from === to) return [to];
  if (seen.includes(from)) return undefined;
  for (const flow of flows.filter(({ source }) => source === from)) {
    const rest = wayBetween(flows, flow.target, to, [...seen, from]);
    if (rest !== undefined) return [from, ...rest];
  }
  return undefined;
}
