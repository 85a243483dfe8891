/** The watch calls out each thing that must never be seen on a target, and nothing that may be. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { checkpointKey, loadingKey } from '../../engine/apply/checkpoint.ts';
import { Connection } from '../../engine/connect/connection.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { CheckpointWatch } from './checkpoint-watch.ts';
import { History } from './history.ts';
import { startPairs } from './pairs.ts';

const KEY = checkpointKey('torture');
const LOADING = loadingKey('torture');
let folder: string;
let server: TestServer;
let connection: Connection;
let history: History;
let watch: CheckpointWatch;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'redis-sync-watch-'));
  server = await startServer();
  connection = await Connection.open(server.endpoint);
});
afterAll(async () => {
  await connection.close();
  await server.stop();
  await rm(folder, { recursive: true });
});
beforeEach(async () => {
  await connection.call('FLUSHALL');
  history = new History(join(folder, 'history.ndjson'));
  watch = await CheckpointWatch.start(server.endpoint, 'torture', history);
  watch.sourceReplid = 'one';
});
afterEach(() => watch.stop());

/** Writes a checkpoint and waits until it was seen. */
async function put(replid: string, offset: number): Promise<void> {
  await connection.call('HSET', KEY, 'replid', replid, 'offset', offset);
  await seen();
}

async function seen(): Promise<void> {
  const before = watch.looks;
  while (watch.looks < before + 2) await new Promise((resolve) => setTimeout(resolve, 1));
}

test('a checkpoint that moves on, also into another history, is fine', async () => {
  await put('one', 10);
  await put('one', 10);
  await put('one', 500);
  watch.onFullSync('two');
  watch.sourceReplid = 'two';
  await connection.pipeline([['MULTI'], ['DEL', KEY], ['HSET', LOADING, 'alone', 1], ['EXEC']]);
  await seen();
  await connection.pipeline([
    ['MULTI'],
    ['DEL', LOADING],
    ['HSET', KEY, 'replid', 'two', 'offset', 20],
    ['EXEC'],
  ]);
  await seen();
  expect(history.problems).toEqual([]);
  expect(watch.last).toEqual({ replid: 'two', offset: 20n });
});

test('a checkpoint that goes back', async () => {
  await put('one', 10);
  await put('one', 9);
  expect(history.problems).toEqual(['the checkpoint went back']);
});

test('a checkpoint that vanishes although the source goes on', async () => {
  await put('one', 10);
  await connection.call('DEL', KEY);
  await seen();
  expect(history.problems[0]).toBe('the checkpoint vanished');
});

test('both marks at once, and none', async () => {
  await put('one', 10);
  await connection.call('HSET', LOADING, 'alone', 1);
  await seen();
  await connection.call('DEL', KEY, LOADING);
  await seen();
  expect(history.problems.filter((problem) => problem.includes('marks'))).toEqual([
    '2 marks of the link on the target instead of one',
    '0 marks of the link on the target instead of one',
  ]);
});

test('an old history that returns', async () => {
  await put('one', 10);
  await put('two', 20);
  await put('one', 30);
  expect(history.problems[0]).toBe('the checkpoint returned to an old history');
});

test('a full sync of a history that the target has a checkpoint in', async () => {
  await put('one', 10);
  watch.onFullSync('one');
  expect(history.problems).toEqual(['a full sync although the target had a checkpoint in the same history']);
});

test('pairs that are written whole are never seen apart; a half one is', async () => {
  await put('one', 10);
  const pairs = await startPairs(server.endpoint);
  await seen();
  await seen();
  expect(await pairs.stop()).toBeGreaterThan(0);
  await seen();
  expect(history.problems).toEqual([]);
  await connection.call('INCR', 'pair:first');
  await seen();
  expect(history.problems[0]).toContain('half a transaction');
});

test('halves may be apart while a full sync loads another history', async () => {
  await put('one', 10);
  watch.sourceReplid = 'two';
  await connection.call('INCR', 'pair:first');
  await seen();
  expect(history.problems).toEqual([]);
});
