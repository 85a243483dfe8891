/** The bytes a link says it has read are those between where its stream began and where it ended: nothing fell out of it. */
import { eventsOf, syncsOf } from '../../reports/history.ts';
import type { LinkResult } from '../../reports/results.ts';
import { plural } from '../../reports/display.ts';
import { result, type CheckContext, type CheckDefinition } from './check.ts';

const NAME = 'offset-accounting';

export const offsetAccounting: CheckDefinition = {
  name: NAME,
  summary: 'Per link: offset of the snapshot + bytes of the stream = last offset.',
  judge: (context) => [judgeOffsets(context)],
};

function judgeOffsets(context: CheckContext) {
  if (context.links.length === 0) return result(NAME, 'skipped', 'There were no links.');
  const accounts = context.links.flatMap((link) => accountOf(context, link) ?? []);
  const wrong = accounts.filter(({ missing }) => missing !== 0n);
  const counts = { links: context.links.length, accounted: accounts.length, wrong: wrong.length };
  if (wrong.length > 0) {
    const words = wrong.map(({ link, missing }) =>
      missing > 0n
        ? `link ${link} counts ${missing} bytes of the stream that it never read`
        : `link ${link} read ${-missing} bytes more than its offsets say`,
    );
    return result(NAME, 'fail', `${words.join('; ')}.`, counts);
  }
  if (accounts.length === 0)
    return result(NAME, 'skipped', 'No link had one snapshot and one stream to account for.', counts);
  return result(NAME, 'pass', `The bytes of ${plural(accounts.length, 'link')} add up.`, counts);
}

/** Null where it cannot be told: several snapshots, a resumed link, one that did not end in order, an engine that died. */
function accountOf(
  { events }: CheckContext,
  { link, stream, unmeasured }: LinkResult,
): { link: string; missing: bigint } | null {
  if (unmeasured?.includes('streamBytes') === true) return null;
  const full = syncsOf(events).filter((sync) => sync.link === link && sync.mode === 'full');
  const end = eventsOf(events, 'link-state').findLast(
    (event) => event.link === link && event.to === 'Finished' && event.offset !== undefined,
  );
  // The count of a process that was killed died with it; its successor begins again.
  const lives = eventsOf(events, 'link-state').filter(
    (event) => event.link === link && event.to === 'Initializing',
  );
  if (lives.length > 1) return null;
  const [first] = full;
  const began = eventsOf(events, 'sync-started').find((event) => event.link === link);
  if (full.length !== 1 || first === undefined || began?.mode !== 'full' || end?.offset === undefined)
    return null;
  if (BigInt(end.offset) < 0n || BigInt(first.offset) < 0n) return null;
  return { link, missing: BigInt(end.offset) - BigInt(first.offset) - BigInt(stream.bytes) };
}
