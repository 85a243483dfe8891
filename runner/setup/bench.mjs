/** `npm run bench`: prepares the clone, then measures. Arguments go to test/bench/main.ts (`cluster`, `--quick`, `--keys N`, `--runs N`). */
import { join } from 'node:path';
import { prepare, ROOT } from './prepare.mjs';
import { runCommand } from './run-command.mjs';
import { runMain } from './say.mjs';

await runMain(async () => {
  await prepare();
  const args = [join(ROOT, 'dist', 'test', 'bench', 'main.js'), ...process.argv.slice(2)];
  return (await runCommand(process.execPath, args, { cwd: ROOT })).code;
});
