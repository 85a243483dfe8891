/** Geo sets: zsets whose scores are 52-bit geohashes. */
import { nearby, writeMember, type TypeSeeder } from './type-seeder.ts';

export const geoSeeder: TypeSeeder = {
  type: 'geo',
  noun: 'stores',
  write(key, context) {
    const { out, random } = context;
    const count = context.elementCounts.draw(random);
    const size = context.elementSizes.draw(random);
    out.begin(2 + 3 * count);
    out.ascii('GEOADD');
    out.binary(key);
    for (let index = 0; index < count; index++) {
      out.ascii(degrees(random.next(), 180));
      // Web Mercator ends there; GEOADD refuses more.
      out.ascii(degrees(random.next(), 85));
      writeMember(context, index, nearby(random, size));
    }
  },
};

/** A 32-bit number spread over ± `limit` degrees, six decimals. */
function degrees(bits: number, limit: number): string {
  return ((bits / 4_294_967_296) * 2 * limit - limit).toFixed(6);
}
