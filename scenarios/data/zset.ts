/** Sorted sets: listpack until 128 members or 64 bytes, then skiplist; scores are doubles in all their forms. */
import { nearby, writeMember, type SeedContext, type TypeSeeder } from './type-seeder.ts';

/** Scores that text formats and careless comparisons get wrong. */
export const SPECIAL_SCORES = [
  'inf',
  '-inf',
  '-0',
  '0',
  '0.1',
  '3.1415926535897931',
  '0.30000000000000004',
  '1.7976931348623157e+308',
  '-1.7976931348623157e+308',
  '2.2250738585072014e-308',
  '5e-324',
  '9007199254740993',
  '123456789012345.67',
  '-1e-17',
];

export const zsetSeeder: TypeSeeder = {
  type: 'zset',
  noun: 'leaderboard',
  write(key, context) {
    const { out, random } = context;
    const count = context.elementCounts.draw(random);
    const size = context.elementSizes.draw(random);
    const form = random.below(8);
    out.begin(2 + 2 * count);
    out.ascii('ZADD');
    out.binary(key);
    for (let index = 0; index < count; index++) {
      writeScore(context, form);
      writeMember(context, index, nearby(random, size));
    }
  },
};

/** One form per key: integers mostly, then decimals, doubles of 17 digits, and the special ones. */
function writeScore({ out, random }: SeedContext, form: number): void {
  if (form < 4) out.integer(random.below(1_000_000) - 1000);
  else if (form < 6) out.ascii((random.below(10_000_000) / 100).toString());
  else if (form === 6) out.ascii(((random.fraction() - 0.5) * 1e6).toPrecision(17));
  else out.ascii(random.pick(SPECIAL_SCORES));
}
