/** `npm start`: from a fresh clone to a finished rehearsal on real servers. Extra arguments replace the default spec. */
import { existsSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { prepare, ROOT } from './prepare.mjs';
import { runCommand } from './run-command.mjs';
import { runMain, say } from './say.mjs';

const DEFAULT_SPEC = 'specs/one-way.yaml';

await runMain(async () => {
  await prepare();
  const args = process.argv.length > 2 ? process.argv.slice(2) : [DEFAULT_SPEC];
  say(`redis-sync verify ${args.join(' ')}`);
  const { code } = await runCommand(
    process.execPath,
    [join(ROOT, 'dist', 'runner', 'bin.js'), 'verify', ...args],
    { cwd: ROOT },
  );
  const latest = ['.redis-sync/latest', '.redis-sync/runs/latest'].find((path) =>
    existsSync(join(ROOT, path)),
  );
  if (latest) say(`The report and all logs of this run: ${latest} → ${readlinkSync(join(ROOT, latest))}`);
  return code;
});
