/**
 * Realistic contents, made once: faker is far too slow to be asked per key (tens of microseconds each), so a seeded
 * faker fills a pool and every value is a cut of it.
 */
import { faker } from '@faker-js/faker/locale/en';
import { Random } from './random.ts';

/** Faker derives dates from it; without one, two runs of the same seed would differ. */
const REFERENCE_DATE = '2024-06-11T00:00:00.000Z';
const DOCUMENTS = 600;
const BINARY_BYTES = 1 << 18;
const RUN_BYTES = 1 << 16;

export interface TextPool {
  /** JSON documents, sentences and addresses, one after the other; ASCII. A ring: read from anywhere. */
  readonly text: Buffer;
  /** Long runs of few characters, which LZF compresses well. A ring. */
  readonly runs: Buffer;
  /** Every byte value. A ring. */
  readonly binary: Buffer;
  /** `jane-doe42`: parts of keys; ASCII. */
  readonly slugs: readonly string[];
  /** Distinct names of hash and stream fields; ASCII. */
  readonly fields: readonly string[];
}

/** The same pool for the same seed. About 50 ms. */
export function makeTextPool(seed: number): TextPool {
  const random = new Random(seed, 'text-pool');
  // The instance is shared in the process, but nothing runs between seeding it and the last call below.
  faker.seed(random.next());
  faker.setDefaultRefDate(REFERENCE_DATE);
  return {
    text: Buffer.from(
      Array.from({ length: DOCUMENTS }, makeDocument)
        .join(' ')
        .replaceAll(/[^ -~]/g, '?'),
      'latin1',
    ),
    runs: makeRuns(random),
    binary: random.bytes(BINARY_BYTES),
    slugs: Array.from({ length: 512 }, () =>
      faker.internet
        .username()
        .toLowerCase()
        .replaceAll(/[^a-z0-9]+/g, '-'),
    ),
    fields: fieldNames(),
  };
}

function makeDocument(_: unknown, index: number): string {
  if (index % 4 === 3) return faker.lorem.sentences(2);
  return JSON.stringify({
    id: faker.string.uuid(),
    name: faker.person.fullName(),
    email: faker.internet.email(),
    city: faker.location.city(),
    street: faker.location.streetAddress(),
    product: faker.commerce.productName(),
    price: faker.commerce.price(),
    at: faker.date.past({ years: 2 }).toISOString(),
    active: faker.datatype.boolean(),
  });
}

function fieldNames(): string[] {
  const names = [
    'id',
    'name',
    'email',
    'city',
    'price',
    'status',
    'created_at',
    'updated_at',
    'count',
    'total',
  ];
  const all = new Set(names);
  for (let round = 0; round < 400; round++)
    all.add(
      faker.word
        .noun()
        .toLowerCase()
        .replaceAll(/[^a-z]/g, '_'),
    );
  return [...all];
}

function makeRuns(random: Random): Buffer {
  const out = Buffer.allocUnsafe(RUN_BYTES);
  for (let at = 0; at < RUN_BYTES;) {
    const length = random.between(20, 400);
    out.fill(97 + random.below(6), at, Math.min(at + length, RUN_BYTES));
    at += length;
  }
  return out;
}
