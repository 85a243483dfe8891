/**
 * `npm run scenarios [-- --only SCENARIO[,…]] [--spec NAME[,…]] [--failed] [--jobs N] [--seconds N]`: prepares the clone, then rehearses every named
 * scenario on every shipped topology it fits (test/scenario-matrix/main.ts) and writes docs/scenario-matrix.md. Takes an hour.
 */
import { join } from 'node:path';
import { prepare, ROOT } from './prepare.mjs';
import { runCommand } from './run-command.mjs';
import { runMain } from './say.mjs';

await runMain(async () => {
  await prepare();
  const main = join(ROOT, 'dist', 'test', 'scenario-matrix', 'main.js');
  return (await runCommand(process.execPath, [main, ...process.argv.slice(2)], { cwd: ROOT })).code;
});
