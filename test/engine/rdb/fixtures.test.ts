/** Snapshots that real servers of other versions wrote, against what those servers answered. See fixtures/README.md. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  decodedKeys,
  differingCuts,
  pieces,
  readPieces,
  readWhole,
  undetectedChanges,
} from './read-snapshot.ts';

const FOLDER = join(import.meta.dirname, 'fixtures');
const NAMES = readdirSync(FOLDER).flatMap((file) => (file.endsWith('.rdb') ? [file.slice(0, -4)] : []));

describe.each(NAMES)('%s', (name) => {
  const snapshot = readFileSync(join(FOLDER, `${name}.rdb`));

  it('decodes to what the server answered', () => {
    const answers: unknown = JSON.parse(readFileSync(join(FOLDER, `${name}.json`), 'utf8'));
    expect(decodedKeys(snapshot)).toEqual(answers);
  });

  it('reads the same cut into two at every byte, and byte by byte', () => {
    expect(differingCuts(snapshot)).toEqual([]);
    expect(JSON.stringify(readPieces(pieces(snapshot, 1)))).toBe(JSON.stringify(readWhole(snapshot)));
  });

  it('refuses any changed byte', () => {
    expect(undetectedChanges(snapshot)).toEqual([]);
  });
});

it('covers the versions that are worth it', () => {
  const expected = ['redis-6.0.16', 'redis-7.0.15', 'redis-8.0.2', 'valkey-8.1.1', 'valkey-9.1.2'];
  expect(NAMES).toEqual(expect.arrayContaining(expected));
});
