/** Every command family of the workload. A new family is one new file and one line here. */
import { bitFamily } from './bit.ts';
import { expiryFamily } from './expiry.ts';
import { functionFamily } from './function.ts';
import { geoFamily } from './geo.ts';
import { hashFamily } from './hash.ts';
import { hllFamily } from './hll.ts';
import { keyFamily } from './key.ts';
import { listFamily } from './list.ts';
import { multiFamily } from './multi.ts';
import type { Family } from './operation.ts';
import { pubsubFamily } from './pubsub.ts';
import { scriptFamily } from './script.ts';
import { setsFamily } from './sets.ts';
import { streamFamily } from './stream.ts';
import { stringFamily } from './string.ts';
import { zsetFamily } from './zset.ts';

export const FAMILIES: readonly Family[] = [
  stringFamily,
  bitFamily,
  hashFamily,
  listFamily,
  setsFamily,
  zsetFamily,
  streamFamily,
  hllFamily,
  geoFamily,
  keyFamily,
  multiFamily,
  scriptFamily,
  functionFamily,
  pubsubFamily,
  expiryFamily,
];

export const FAMILY_NAMES: readonly string[] = FAMILIES.map((family) => family.name);

/** Every command a mix can name, sorted. */
export const COMMAND_NAMES: readonly string[] = [
  ...new Set(FAMILIES.flatMap((family) => family.operations.map((operation) => operation.command))),
].toSorted();
