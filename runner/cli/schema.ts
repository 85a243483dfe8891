/** `redis-sync schema`: the JSON Schema of a spec, as shipped. */
import type { CommandContext } from './context.ts';
import { readPackageFile } from './package-files.ts';

export function schema({ io }: CommandContext): Promise<number> {
  io.out(readPackageFile('redis-sync.schema.json'));
  return Promise.resolve(0);
}
