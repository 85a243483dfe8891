/** HyperLogLogs: sparse (a few elements) and dense (12 KB of registers, above 3000 bytes of sparse ones). */
import type { TypeSeeder } from './type-seeder.ts';

/** Enough for the sparse form to outgrow `hll-sparse-max-bytes` 3000. */
const DENSE_ELEMENTS = 2500;

export const hyperloglogSeeder: TypeSeeder = {
  type: 'hyperloglog',
  noun: 'visitors',
  write(key, { out, random }) {
    const count = random.chance(0.02) ? DENSE_ELEMENTS : random.between(1, 60);
    out.begin(2 + count);
    out.ascii('PFADD');
    out.binary(key);
    for (let index = 0; index < count; index++) out.integer(random.below(1_000_000_000));
  },
};
