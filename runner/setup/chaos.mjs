/** `npm run chaos -- --spec specs/one-way.yaml --seeds 1..50 --jobs 2`: prepares the clone, then runs test/chaos/main.ts. */
import { join } from 'node:path';
import { prepare, ROOT } from './prepare.mjs';
import { runCommand } from './run-command.mjs';
import { runMain } from './say.mjs';

await runMain(async () => {
  await prepare();
  const program = join(ROOT, 'dist', 'test', 'chaos', 'main.js');
  return (await runCommand(process.execPath, [program, ...process.argv.slice(2)], { cwd: ROOT })).code;
});
