/** Links that lead in a circle on their own: both directions of a pair, or a ring. Conflicts are seen and resolved in those. */

interface Hop {
  id: string;
  source: string;
  target: string;
  incrementalOnly?: true;
}

/**
 * The circle that the link is of: its instances as the links lead, beginning with the one that the closing link leads to (the
 * one that has the data at the beginning). A pair comes before anything longer. Undefined for a link of none.
 */
export function circleOf(links: readonly Hop[], link: Hop): string[] | undefined {
  const way = shortestWay(links, link.target, link.source);
  if (way === undefined) return undefined;
  const closing = [link, ...way].find(({ incrementalOnly }) => incrementalOnly) ?? link;
  const members = [link.source, ...way.map(({ source }) => source)];
  const first = members.indexOf(closing.target);
  return [...members.slice(first), ...members.slice(0, first)];
}

/** Links of one circle, the link itself among them. */
export function linksOfCircle<Link extends Hop>(links: readonly Link[], circle: readonly string[]): Link[] {
  return links.filter(({ source, target }) => {
    const at = circle.indexOf(source);
    return at >= 0 && circle[(at + 1) % circle.length] === target;
  });
}

function shortestWay(links: readonly Hop[], from: string, to: string): Hop[] | undefined {
  const waiting: { at: string; way: Hop[] }[] = [{ at: from, way: [] }];
  const seen = new Set([from]);
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    if (next.at === to) return next.way;
    for (const link of links) {
      if (link.source !== next.at || seen.has(link.target)) continue;
      seen.add(link.target);
      waiting.push({ at: link.target, way: [...next.way, link] });
    }
  }
  return undefined;
}
