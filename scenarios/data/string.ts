/** Strings: integers, short (embstr), long (raw), compressible (LZF in the snapshot), binary. */
import { writeContents, type SeedContext, type TypeSeeder } from './type-seeder.ts';

export const stringSeeder: TypeSeeder = {
  type: 'string',
  noun: 'cache',
  write(key, context) {
    const { out, random } = context;
    out.begin(3);
    out.ascii('SET');
    out.binary(key);
    if (random.chance(0.15)) writeInteger(context);
    else writeContents(context, context.valueSizes.draw(random));
  },
};

/** 8, 16, 32 and 64 bit integers of both signs: each has an encoding of its own in the snapshot. */
function writeInteger({ out, random }: SeedContext): void {
  const sign = random.chance(0.3) ? -1 : 1;
  const width = random.below(4);
  if (width === 0) out.integer(random.below(120));
  else if (width === 1) out.integer(sign * random.below(32_000));
  else if (width === 2) out.integer(sign * random.below(2_147_483_647));
  else
    out.ascii(
      `${sign < 0 ? '-' : ''}${random.between(1, 9)}${String(random.next()).padStart(10, '0')}${random.below(1e7)}`,
    );
}
