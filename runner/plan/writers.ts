/** Which instances of a topology may be written to by others than its links: at the beginning, and while they run. */

interface Hop {
  source: string;
  target: string;
  incrementalOnly?: true;
}

/** Sources into which nothing is copied: the data of the beginning is theirs. In the order of the links. */
export function seedableInstances(links: readonly Hop[]): string[] {
  const fed = new Set(
    links.filter(({ incrementalOnly }) => incrementalOnly !== true).map(({ target }) => target),
  );
  return sourcesOf(links).filter((name) => !fed.has(name));
}

/** Those, and sources whose own writes come back to nobody but the others: the members of a two-way pair or a ring. */
export function writableInstances(links: readonly Hop[]): string[] {
  const seedable = seedableInstances(links);
  return sourcesOf(links).filter((name) => seedable.includes(name) || leadsTo(links, name, name));
}

/** What the link brings can come back to its source: its ends are named, so that it does not. */
export function isInCircle(links: readonly Hop[], { source, target }: Hop): boolean {
  return leadsTo(links, target, source);
}

function sourcesOf(links: readonly Hop[]): string[] {
  return [...new Set(links.map(({ source }) => source))];
}

function leadsTo(links: readonly Hop[], from: string, to: string): boolean {
  const reached = new Set<string>();
  const waiting = [from];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    for (const { source, target } of links) {
      if (source !== name || reached.has(target)) continue;
      reached.add(target);
      waiting.push(target);
    }
  }
  return reached.has(to);
}
