import { expect, test } from 'vitest';
import type { RunEvent, RunEventBody } from '../../../reports/events.ts';
import { createIo, withFlags, type Io } from '../../../runner/cli/io.ts';
import { Progress } from '../../../runner/run/progress.ts';

function capture(isTTY: boolean, env: NodeJS.ProcessEnv = {}): { io: Io; text: () => string } {
  let text = '';
  const err = { write: (chunk: string) => (text += chunk), isTTY, columns: 60 };
  const io = createIo({ write: () => true }, err, { NO_COLOR: '1', ...env });
  return { io, text: () => text };
}

function at(ms: number, body: RunEventBody): RunEvent {
  return { seq: 1, at: '2026-01-01T00:00:00.000Z', ms, ...body };
}

const STARTED = at(100, { kind: 'phase', phase: 'full-sync', status: 'started' });
const FINISHED = at(2600, { kind: 'phase', phase: 'full-sync', status: 'finished', detail: '9 keys' });

function copying(ms: number, keys: number, bytes: number): RunEvent {
  return at(ms, {
    kind: 'progress',
    link: 'l',
    phase: 'full-sync',
    keys,
    bytes,
    expectedKeys: 2000,
    lagBytes: 0,
    lagMs: null,
  });
}

const SYNC = at(100, { kind: 'sync-started', link: 'l', mode: 'full', replid: 'r', offset: '0', cause: 'c' });

test('on a terminal one line is rewritten, with the speed since the last', () => {
  const { io, text } = capture(true);
  const progress = new Progress(io);
  for (const event of [STARTED, SYNC, copying(600, 500, 1_000_000), copying(1100, 1000, 3_000_000)])
    progress.observe(event);
  expect(text().split('\r\u001b[K').slice(1)).toEqual([
    '  full-sync …',
    '  full-sync l: 500 of 2,000 keys, 2 MB/s',
    '  full-sync l: 1,000 of 2,000 keys, 4 MB/s',
  ]);
  progress.observe(FINISHED);
  expect(text().split('\r\u001b[K').at(-1)).toBe('✓ full-sync      2.5 s 9 keys\n');
});

test('what is printed next finds a clean line', () => {
  const { io, text } = capture(true);
  const progress = new Progress(io);
  progress.show('  working');
  progress.clear();
  progress.clear();
  expect(text()).toBe('\r\u001b[K  working\r\u001b[K');
});

test('no line is wider than the terminal', () => {
  const { io, text } = capture(true);
  new Progress(io).show('x'.repeat(200));
  expect(text()).toBe(`\r\u001b[K${'x'.repeat(59)}`);
});

test.each([
  ['in a pipe', false, {}],
  ['on a build server', true, { CI: 'true' }],
])('%s only lines that stay', (_name, isTty, env) => {
  const { io, text } = capture(isTty, env);
  const progress = new Progress(io);
  for (const event of [STARTED, SYNC, copying(600, 500, 1_000_000), FINISHED]) progress.observe(event);
  expect(text()).toBe('✓ full-sync      2.5 s 9 keys\n');
});

test('links are the news only in the phases in which they work', () => {
  const { io, text } = capture(true);
  const event = copying(600, 500, 1_000_000);
  new Progress(io).observe(event.kind === 'progress' ? { ...event, phase: 'verify' } : event);
  expect(text()).toBe('');
});

test('trouble of a link and its end are told; other changes when asked for', () => {
  const states = [
    at(1, { kind: 'link-state', link: 'l', from: 'NotStarted', to: 'Initializing', cause: 'started' }),
    at(2, { kind: 'link-state', link: 'l', from: 'Synchronizing', to: 'Retrying', cause: 'lost' }),
    at(3, { kind: 'link-state', link: 'l', from: 'Retrying', to: 'Synchronizing', cause: 'back' }),
  ];
  const brief = capture(false);
  const full = capture(false);
  for (const event of states) {
    new Progress(brief.io).observe(event);
    new Progress(full.io, { states: true }).observe(event);
  }
  expect(brief.text()).toBe(
    '  link l: Synchronizing → Retrying (lost)\n  link l: Retrying → Synchronizing (back)\n',
  );
  expect(full.text()).toContain('  link l: NotStarted → Initializing (started)\n');
});

test('--quiet: nothing', () => {
  const { io, text } = capture(true);
  const progress = new Progress(withFlags(io, { quiet: true }));
  for (const event of [STARTED, copying(600, 500, 1_000_000), FINISHED]) progress.observe(event);
  expect(text()).toBe('');
});

test('a finding that repeats is told once per link', () => {
  const { io, text } = capture(false);
  const progress = new Progress(io);
  for (const link of ['a', 'a', 'b'])
    progress.observe(
      at(1, { kind: 'finding', code: 'OOM', message: 'Full.', link, severity: 'warning', evidence: {} }),
    );
  expect(text()).toBe('  OOM Full.\n  OOM Full.\n');
});
