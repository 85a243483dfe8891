/** `redis-sync schema`: the JSON Schema of a spec, as shipped. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PACKAGE_ROOT } from '../run/package-root.ts';
import type { CommandContext } from './context.ts';

export async function schema({ io }: CommandContext): Promise<number> {
  io.out(await readFile(join(PACKAGE_ROOT, 'redis-sync.schema.json'), 'utf8'));
  return 0;
}
