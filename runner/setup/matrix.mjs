/**
 * `npm run matrix [-- --quick] [--write] [--only TEXT]`: prepares the clone, fetches servers of other versions where Debian's
 * apt is, then runs test/matrix/main.ts with every pair of those that start here.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findServers } from './fetch-servers.mjs';
import { prepare, ROOT } from './prepare.mjs';
import { runCommand } from './run-command.mjs';
import { runMain } from './say.mjs';

await runMain(async () => {
  await prepare();
  const folder = join(ROOT, '.redis-sync', 'servers');
  await mkdir(folder, { recursive: true });
  const list = join(folder, 'found.json');
  await writeFile(list, JSON.stringify(await findServers(folder), null, 2));
  const args = [join(ROOT, 'dist', 'test', 'matrix', 'main.js'), '--servers', list, ...process.argv.slice(2)];
  return (await runCommand(process.execPath, args, { cwd: ROOT })).code;
});
