/**
 * Writes a fixture: a snapshot of the server at hand with every type, and what that server answers about it. Runs only
 * when asked to; see fixtures/README.md.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Connection } from '../../../engine/connect/connection.ts';
import { startServer } from '../../support/server.ts';
import { askEverything } from './canonical.ts';
import { EVERY_TYPE_CONFIG, fillEveryType } from './every-type.ts';
import { decodedKeys } from './read-snapshot.ts';

const NAME = process.env['RDB_FIXTURE'];
const DEBUG_CONFIG = process.env['RDB_FIXTURE_DEBUG'] === 'no' ? {} : { 'enable-debug-command': 'yes' };

it.runIf(NAME !== undefined)('writes a fixture that reads back as the server answers', async () => {
  await using server = await startServer({ ...EVERY_TYPE_CONFIG, ...DEBUG_CONFIG });
  const connection = await Connection.open(server.endpoint);
  await fillEveryType(connection);
  const answers = await askEverything(connection);
  await connection.call('SAVE');
  const snapshot = await readFile(join(server.folder, 'dump.rdb'));
  expect(decodedKeys(snapshot)).toEqual(answers);
  const folder = join(import.meta.dirname, 'fixtures');
  await writeFile(join(folder, `${NAME}.rdb`), snapshot);
  await writeFile(join(folder, `${NAME}.json`), `${JSON.stringify(answers, null, 1)}\n`);
});
