/** Lists: one listpack when short, a quicklist of several nodes when long. */
import { nearby, writeContents, type TypeSeeder } from './type-seeder.ts';

export const listSeeder: TypeSeeder = {
  type: 'list',
  noun: 'queue',
  write(key, context) {
    const { out, random } = context;
    const count = context.elementCounts.draw(random);
    const size = context.elementSizes.draw(random);
    const integers = random.chance(0.2);
    out.begin(2 + count);
    out.ascii('RPUSH');
    out.binary(key);
    for (let index = 0; index < count; index++) {
      if (integers) out.integer(random.below(70_000));
      else writeContents(context, nearby(random, size));
    }
  },
};
