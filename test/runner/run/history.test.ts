import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { RunEventBody } from '../../../reports/events.ts';
import { parseHistory } from '../../../reports/history.ts';
import { EVENTS_FILE, History } from '../../../runner/run/history.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'redis-sync-history-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const WORKLOAD: RunEventBody = { kind: 'workload', name: 'w', stage: 'started' };
const written = (): unknown => parseHistory(readFileSync(join(folder, EVENTS_FILE), 'utf8')).events;

test('an event is on disk before anybody hears of it', () => {
  const history = new History(folder);
  let onDisk: unknown;
  history.subscribe(() => (onDisk = written()));
  const event = history.emit(WORKLOAD);
  expect(onDisk).toEqual([event]);
  history.close();
});

test('counts from one without gaps, and the milliseconds since it began', () => {
  let nowMs = 1000;
  const history = new History(folder, { now: () => nowMs });
  history.emit(WORKLOAD);
  nowMs = 1250;
  history.emit(WORKLOAD);
  expect(history.events).toMatchObject([
    { seq: 1, ms: 0 },
    { seq: 2, ms: 250 },
  ]);
  expect(written()).toEqual(history.events);
  history.close();
});

test('what a listener emits comes behind what it heard', () => {
  const history = new History(folder);
  history.subscribe((event) => {
    if (event.kind === 'workload') history.emit({ kind: 'interrupted', signal: 'SIGINT' });
  });
  history.emit(WORKLOAD);
  expect(history.events.map(({ seq, kind }) => [seq, kind])).toEqual([
    [1, 'workload'],
    [2, 'interrupted'],
  ]);
  expect(written()).toEqual(history.events);
  history.close();
});

test('not retained: on disk, and nowhere else', () => {
  const history = new History(folder, { retain: false });
  history.emit(WORKLOAD);
  history.emit(WORKLOAD);
  expect(history.events).toEqual([]);
  expect(written()).toMatchObject([{ seq: 1 }, { seq: 2 }]);
  history.close();
});

test('a folder has one history', () => {
  new History(folder).close();
  expect(() => new History(folder)).toThrow(/EEXIST/);
});
