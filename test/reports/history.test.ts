import { describe, expect, test } from 'vitest';
import type { RunEvent, RunEventBody } from '../../reports/events.ts';
import { faultsOf, lagCurves, linkStatesOf, parseHistory, phasesOf, syncsOf } from '../../reports/history.ts';
import { EVENTS } from './sample-runs.ts';

function historyOf(...bodies: RunEventBody[]): RunEvent[] {
  return bodies.map((body, index) => ({
    ...body,
    seq: index + 1,
    at: '2024-06-11T00:00:00.000Z',
    ms: index * 10,
  }));
}

describe('parseHistory', () => {
  const text = EVENTS.map((event) => `${JSON.stringify(event)}\n`).join('');

  test('reads back what was written', () => {
    expect(parseHistory(text)).toEqual({ events: EVENTS, torn: false, unreadable: [] });
    expect(parseHistory('')).toEqual({ events: [], torn: false, unreadable: [] });
  });

  test('a run killed at any byte of its last line loses that line only', () => {
    const lastLine = JSON.stringify(EVENTS.at(-1));
    const before = text.slice(0, text.length - lastLine.length - 1);
    for (let cut = 1; cut < lastLine.length; cut++) {
      const history = parseHistory(before + lastLine.slice(0, cut));
      expect(history.events.length).toBe(EVENTS.length - 1);
      expect(history.torn).toBe(true);
    }
    expect(parseHistory(before + lastLine)).toMatchObject({ torn: false, unreadable: [] });
  });

  test('says which other lines are damaged, and reads the rest', () => {
    const lines = text.split('\n');
    lines[1] = '{"kind":"phase"}';
    lines[3] = '\0\0\0';
    expect(parseHistory(lines.join('\n'))).toMatchObject({ torn: false, unreadable: [2, 4] });
  });
});

describe('phasesOf', () => {
  test('gives start and length of each', () => {
    expect(
      phasesOf(EVENTS).map(({ phase, startedMs, durationMs }) => [phase, startedMs, durationMs]),
    ).toEqual([
      ['provision', 1, 639],
      ['precheck', 640, 172],
      ['seed', 812, 1288],
      ['full-sync', 2100, 2380],
      ['incremental', 4480, 11_720],
      ['settle', 16_200, 850],
      ['verify', 17_050, 1350],
    ]);
  });

  test('a phase that failed, was skipped, or never ended', () => {
    const history = historyOf(
      { kind: 'phase', phase: 'provision', status: 'started' },
      { kind: 'phase', phase: 'provision', status: 'failed', detail: 'no binary' },
      { kind: 'phase', phase: 'seed', status: 'skipped' },
      { kind: 'phase', phase: 'teardown', status: 'started' },
      { kind: 'interrupted', signal: 'SIGKILL' },
    );
    expect(phasesOf(history)).toEqual([
      { phase: 'provision', startedMs: 0, durationMs: 10, status: 'failed', detail: 'no binary' },
      { phase: 'seed', startedMs: 20, durationMs: 0, status: 'skipped' },
      { phase: 'teardown', startedMs: 30, durationMs: 10, status: 'failed', detail: 'did not end' },
    ]);
  });
});

test('linkStatesOf: the last state is open', () => {
  const spans = linkStatesOf(EVENTS).map(({ state, fromMs, toMs }) => [state, fromMs, toMs]);
  expect(spans).toEqual([
    ['Initializing', 2105, 4471],
    ['Synchronizing', 4471, 11_000],
    ['Retrying', 11_000, 11_400],
    ['Synchronizing', 11_400, null],
  ]);
});

test('syncsOf: an attempt that was repeated has not finished', () => {
  const started: RunEventBody = {
    kind: 'sync-started',
    link: 'a',
    mode: 'full',
    replid: 'r',
    offset: '1',
    cause: 'c',
  };
  const spans = syncsOf(
    historyOf(started, started, {
      kind: 'sync-finished',
      link: 'a',
      mode: 'full',
      keys: 5,
      bytes: 6,
      durationMs: 7,
    }),
  );
  expect(spans).toMatchObject([
    { startedMs: 0, finishedMs: null, keys: 0 },
    { startedMs: 10, finishedMs: 20, keys: 5, bytes: 6 },
  ]);
});

function fault(stage: 'requested' | 'effective'): RunEventBody {
  return { kind: 'fault', step: 's', fault: 'f', stage };
}

describe('faultsOf', () => {
  test('one entry per firing, one per step that never fired', () => {
    expect(faultsOf(EVENTS)).toMatchObject([
      { step: 'slow-target', requestedMs: 9500, effectiveMs: 9520, healedMs: 13_520, outcome: 'effective' },
      { step: 'plant', requestedMs: 17_010, effectiveMs: 17_020, healedMs: null, evidence: { commands: 3 } },
      { step: 'flush', requestedMs: null, outcome: 'never-fired', reason: 'the run settled first' },
    ]);
  });

  test('a repeated step is told apart, and one that was only requested has failed', () => {
    expect(faultsOf(historyOf(fault('requested'), fault('effective'), fault('requested')))).toMatchObject([
      { outcome: 'effective', requestedMs: 0 },
      { outcome: 'failed', requestedMs: 20, effectiveMs: null },
    ]);
  });
});

test('lagCurves: per link, in order', () => {
  const curve = lagCurves(EVENTS).get('main') ?? [];
  expect(curve).toHaveLength(28);
  expect(curve[0]).toMatchObject({ ms: 2500, lagMs: null });
  expect(Math.max(...curve.map((point) => point.lagMs ?? 0))).toBeGreaterThan(900);
});
