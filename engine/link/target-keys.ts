/** How many keys the links of a source have on their targets: what a source that comes back with less is measured by. */
import { keysOfLink } from '../apply/checkpoint.ts';
import { openWhere } from '../connect/discover.ts';
import type { Whereabouts } from '../connect/discovery.ts';
import { parseInfo } from '../resp/reply-text.ts';
import { countKeys } from './source-facts.ts';

const TIMEOUT_MS = 5000;

export interface LinkTarget {
  link: string;
  target: Whereabouts;
}

/** Of the fullest target, without what the link keeps there itself; null when none answers. Never throws. */
export async function countTargetKeys(
  targets: readonly LinkTarget[],
  signal: AbortSignal,
): Promise<number | null> {
  const counts = await Promise.all(targets.map((each) => countOn(each, signal)));
  const known = counts.filter((count) => count !== null);
  return known.length === 0 ? null : Math.max(...known);
}

async function countOn({ link, target }: LinkTarget, signal: AbortSignal): Promise<number | null> {
  try {
    await using connection = await openWhere(target, { replyTimeoutMs: TIMEOUT_MS, signal });
    const keys = countKeys(parseInfo(await connection.call('INFO', 'keyspace')));
    return keys - Number(await connection.call('EXISTS', ...keysOfLink(link)));
  } catch {
    // A target that is down, or may not be asked: the judgement is made without it.
    return null;
  }
}
