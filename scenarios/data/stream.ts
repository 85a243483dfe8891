/**
 * Streams with fixed ids: entries, deleted entries, consumer groups, pending entries with a fixed delivery time and
 * count. The wire holds no server clock except a consumer's last-seen time, which is nobody's data.
 */
import { writeContents, type SeedContext, type TypeSeeder } from './type-seeder.ts';

/** 2024-06-11, so that ids look like those of a living server and lie in its past. */
const EPOCH_MS = 1_718_064_000_000;
const ENTRIES_MAX = 2000;

export const streamSeeder: TypeSeeder = {
  type: 'stream',
  noun: 'events',
  write(key, context) {
    const { out, random } = context;
    const count = Math.min(context.elementCounts.draw(random), ENTRIES_MAX);
    const firstMs = EPOCH_MS + random.below(1_000_000_000);
    const id = (index: number): string => `${firstMs + (index >>> 1) * 7}-${(index & 1) * 3}`;
    for (let index = 0; index < count; index++) writeEntry(key, id(index), context);
    if (random.chance(0.6)) writeGroup(key, 'workers', id, Math.min(count, random.between(1, 20)), context);
    if (random.chance(0.2)) out.command('XGROUP', 'CREATE', key, 'idle', '$');
    // After the group, so that a pending id may point at an entry that is gone.
    if (count > 2 && random.chance(0.5))
      out.command('XDEL', key, id(random.below(count)), id(random.below(count)));
  },
};

function writeEntry(key: Buffer, id: string, context: SeedContext): void {
  const { out, random, pool } = context;
  const pairs = random.between(1, 3);
  const first = random.below(pool.fields.length);
  out.begin(3 + 2 * pairs);
  out.ascii('XADD');
  out.binary(key);
  out.ascii(id);
  for (let pair = 0; pair < pairs; pair++) {
    out.ascii(pool.fields[(first + pair) % pool.fields.length] ?? 'field');
    writeContents(context, context.elementSizes.draw(random));
  }
}

/** Delivers the first `count` entries to two consumers, acknowledges some, pins time and count of the others. */
function writeGroup(
  key: Buffer,
  group: string,
  id: (index: number) => string,
  count: number,
  context: SeedContext,
): void {
  const { out, random } = context;
  out.command('XGROUP', 'CREATE', key, group, '0');
  const split = random.below(count + 1);
  if (split > 0) out.command('XREADGROUP', 'GROUP', group, 'ann', 'COUNT', split, 'STREAMS', key, '>');
  if (count > split)
    out.command('XREADGROUP', 'GROUP', group, 'bob', 'COUNT', count - split, 'STREAMS', key, '>');
  for (let index = 0; index < count; index++) {
    const owner = index < split ? 'ann' : 'bob';
    if (random.chance(0.4)) out.command('XACK', key, group, id(index));
    else {
      const times = ['TIME', EPOCH_MS + index, 'RETRYCOUNT', random.between(1, 9)];
      out.command('XCLAIM', key, group, owner, 0, id(index), ...times, 'JUSTID');
    }
  }
}
