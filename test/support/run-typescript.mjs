/**
 * Lets a test start a TypeScript file of the sources as a process of its own, without a build:
 * `node test/support/run-typescript.mjs file.ts args…`. Node 20 cannot strip types by itself. The program sees its
 * arguments in process.argv from index 2 on, as usual.
 */
import { resolve } from 'node:path';
import { runnerImport } from 'vite';

const file = resolve(process.argv[2] ?? '');
process.argv.splice(1, 2, file);
await runnerImport(file, {
  configFile: false,
  root: process.cwd(),
  logLevel: 'error',
  oxc: { target: 'node20' },
});
