/**
 * `npm run torture -- --kills N …` and `npm run soak -- --minutes N …`: prepares the clone, then runs test/torture/main.ts or
 * test/torture/soak.ts. Arguments go there.
 */
import { join } from 'node:path';
import { prepare, ROOT } from './prepare.mjs';
import { runCommand } from './run-command.mjs';
import { runMain } from './say.mjs';

await runMain(async () => {
  await prepare();
  const soak = process.argv[2] === 'soak';
  const program = join(ROOT, 'dist', 'test', 'torture', soak ? 'soak.js' : 'main.js');
  const args = process.argv.slice(soak ? 3 : 2);
  return (await runCommand(process.execPath, [program, ...args], { cwd: ROOT })).code;
});
