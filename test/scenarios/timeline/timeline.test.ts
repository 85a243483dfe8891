import { describe, expect, test } from 'vitest';
import type { LinkState, RunEventBody } from '../../../reports/events.ts';
import type { FaultDefinition, FaultOutcome } from '../../../scenarios/faults/fault.ts';
import type { Subjects } from '../../../scenarios/faults/subjects.ts';
import { timelineMs, type StepPlan } from '../../../scenarios/timeline/step.ts';
import { Timeline } from '../../../scenarios/timeline/timeline.ts';
import { NO_SUBJECTS } from '../no-subjects.ts';
import { GatedLink } from './gated-link.ts';
import { ManualClock, settled } from './manual-clock.ts';

const WORKLOAD: RunEventBody = { kind: 'workload', name: 'w', stage: 'started' };
const INCREMENTAL: RunEventBody = { kind: 'phase', phase: 'incremental', status: 'started' };
const FULL_SYNC: RunEventBody = {
  kind: 'sync-started',
  link: 'main',
  mode: 'full',
  replid: 'r',
  offset: '1',
  cause: 'first',
};
const SYNCED: RunEventBody = {
  kind: 'sync-finished',
  link: 'main',
  mode: 'full',
  keys: 9,
  bytes: 9,
  durationMs: 9,
};

function progress(keys: number, link = 'main', expectedKeys = 100): RunEventBody {
  return {
    kind: 'progress',
    link,
    phase: 'full-sync',
    keys,
    bytes: 0,
    expectedKeys,
    lagBytes: 0,
    lagMs: null,
  };
}

function lag(lagBytes: number): RunEventBody {
  return { kind: 'progress', link: 'main', phase: 'full-sync', keys: 9, bytes: 0, lagBytes, lagMs: null };
}

function linkState(to: LinkState, link = 'main'): RunEventBody {
  return { kind: 'link-state', link, from: 'NotStarted', to, cause: 'test' };
}

function step(
  id: string,
  changes: Partial<Omit<StepPlan, 'trigger'>> & { trigger?: Partial<StepPlan['trigger']> } = {},
): StepPlan {
  return {
    id,
    fault: 'toggle',
    with: {},
    optional: false,
    ...changes,
    trigger: { delayMs: 0, ...changes.trigger },
  };
}

/** A fault that keeps a list of what it did: `+a` injected, `-a` healed. */
function stage(
  steps: StepPlan[],
  behaviour: Partial<Record<string, () => Promise<FaultOutcome>>> = {},
  subjects: Subjects = NO_SUBJECTS,
) {
  const clock = new ManualClock();
  const done: string[] = [];
  const events: RunEventBody[] = [];
  const toggle: FaultDefinition = {
    name: 'toggle',
    summary: 'For tests.',
    requires: [],
    aims: 'any',
    schema: {},
    reversible: true,
    dataLoss: 'none',
    prepare: (context) => ({
      inject: async () => {
        done.push(`+${context.step}`);
        return (await behaviour[context.step]?.()) ?? { effective: true, evidence: { at: clock.nowMs() } };
      },
      heal: async () => {
        done.push(`-${context.step}`);
        await behaviour[`-${context.step}`]?.();
      },
    }),
  };
  const timeline = new Timeline({
    steps,
    clock,
    instances: () => new Map(),
    subjects,
    // As in a run: what is emitted comes back as history.
    emit: (event) => {
      events.push(event);
      timeline.observe(event);
    },
    findFault: (name) => (name === 'toggle' ? toggle : null),
  });
  const stages = (): string[] =>
    events.flatMap((event) => (event.kind === 'fault' ? [`${event.step} ${event.stage}`] : []));
  const reasons = (): (string | undefined)[] =>
    events.flatMap((event) => (event.kind === 'fault' && event.reason !== undefined ? [event.reason] : []));
  return { clock, done, events, timeline, stages, reasons };
}

describe('at', () => {
  test('counts from the start of the workload', async () => {
    const { clock, done, timeline } = stage([step('a', { trigger: { atMs: 5000 } })]);
    await clock.advance(10_000);
    timeline.observe(WORKLOAD);
    await clock.advance(4999);
    expect(done).toEqual([]);
    await clock.advance(1);
    expect(done).toEqual(['+a']);
  });

  test('counts from the incremental phase when there is no workload, and starts only once', async () => {
    const { clock, done, timeline } = stage([step('a', { trigger: { atMs: 100, delayMs: 50 } })]);
    timeline.observe(INCREMENTAL);
    timeline.observe(WORKLOAD);
    await clock.advance(149);
    expect(done).toEqual([]);
    await clock.advance(1000);
    expect(done).toEqual(['+a']);
  });
});

describe('when', () => {
  test('satisfied for several steps at once, each fires once', async () => {
    const when = { phase: 'incremental' } as const;
    const steps = ['a', 'b', 'c'].map((id) => step(id, { trigger: { when } }));
    const { timeline, stages } = stage(steps);
    timeline.observe(linkState('Synchronizing'));
    await settled();
    expect(
      stages()
        .filter((text) => text.endsWith('requested'))
        .toSorted(),
    ).toEqual(['a requested', 'b requested', 'c requested']);
  });

  test.each<[string, NonNullable<StepPlan['trigger']['when']>, RunEventBody[], RunEventBody]>([
    ['a handshake', { phase: 'handshake' }, [], linkState('Initializing')],
    ['a full sync', { link: 'main', phase: 'full-sync' }, [linkState('Initializing')], FULL_SYNC],
    ['incremental', { link: 'main', phase: 'incremental' }, [FULL_SYNC, progress(99)], SYNCED],
    [
      'a share of the full sync',
      { link: 'main', phase: 'full-sync', progress: { comparison: '>=', percent: 50 } },
      [FULL_SYNC, progress(49), progress(80, 'other')],
      progress(50),
    ],
  ])('fires at %s, not before', async (_what, when, before, trigger) => {
    const { done, timeline } = stage([step('a', { trigger: { when } })]);
    for (const event of before) timeline.observe(event);
    await settled();
    expect(done).toEqual([]);
    timeline.observe(trigger);
    timeline.observe(trigger);
    await settled();
    expect(done).toEqual(['+a']);
  });

  test('a share of the full sync is not reached by having finished it', async () => {
    const when = {
      link: 'main',
      phase: 'full-sync' as const,
      progress: { comparison: '>=' as const, percent: 50 },
    };
    const { done, timeline, stages, reasons } = stage([step('a', { trigger: { when } })]);
    for (const event of [FULL_SYNC, progress(31), SYNCED]) timeline.observe(event);
    await timeline.settle();
    timeline.finish();
    expect(done).toEqual([]);
    expect(stages()).toEqual(['a never-fired']);
    expect(reasons()).toEqual(['link main was last seen in incremental (full sync last seen at 31 %)']);
  });
});

describe('whenDone', () => {
  const when = { link: 'main', phase: 'full-sync' as const };

  test('does not wait for a `when` that may never come, nor for what follows it', async () => {
    const { timeline, stages } = stage([
      step('a', { trigger: { when } }),
      step('b', { trigger: { after: 'a' } }),
    ]);
    timeline.observe(WORKLOAD);
    await timeline.whenDone();
    timeline.finish();
    expect(stages()).toEqual(['a never-fired', 'b never-fired']);
  });

  test('waits for what a `when` that came has set going', async () => {
    const { clock, timeline, stages } = stage([
      step('a', { trigger: { when, delayMs: 50 } }),
      step('b', { trigger: { after: 'a', delayMs: 50 } }),
    ]);
    timeline.observe(FULL_SYNC);
    let over = false;
    void timeline.whenDone().then(() => (over = true));
    await clock.advance(99);
    expect(over).toBe(false);
    await clock.advance(1);
    expect(over).toBe(true);
    expect(stages()).toEqual(['a requested', 'a effective', 'b requested', 'b effective']);
  });
});

describe('after', () => {
  test('waits for the other step to take effect, then for the delay', async () => {
    const { clock, done, timeline } = stage([
      step('b', { trigger: { after: 'a', delayMs: 2000 } }),
      step('a', { trigger: { atMs: 1000 } }),
    ]);
    timeline.observe(WORKLOAD);
    await clock.advance(2999);
    expect(done).toEqual(['+a']);
    await clock.advance(1);
    expect(done).toEqual(['+a', '+b']);
  });

  test('does not follow a step that failed', async () => {
    const steps = [
      step('a', { trigger: { atMs: 0 } }),
      step('b', { trigger: { after: 'a' } }),
      step('c', { trigger: { after: 'b' } }),
    ];
    const { timeline, stages, reasons } = stage(steps, {
      a: () => Promise.resolve({ effective: false, reason: 'nothing happened', evidence: {} }),
    });
    timeline.observe(WORKLOAD);
    await timeline.whenDone();
    timeline.finish();
    expect(stages()).toEqual(['a requested', 'a failed', 'b never-fired', 'c never-fired']);
    expect(reasons()).toEqual(['nothing happened', 'step a failed', 'step b never fired']);
  });

  test('an unknown step and a circle never fire and do not hang', async () => {
    const steps = [
      step('a', { trigger: { after: 'x' } }),
      step('b', { trigger: { after: 'c' } }),
      step('c', { trigger: { after: 'b' } }),
    ];
    const { timeline, reasons } = stage(steps);
    await timeline.whenDone();
    timeline.finish();
    expect(reasons()).toEqual(['step x does not exist', 'step c never fired', 'step b never fired']);
  });
});

describe('healing', () => {
  test('after `for`', async () => {
    const { clock, done, timeline, stages } = stage([step('a', { forMs: 10_000, trigger: { atMs: 0 } })]);
    timeline.observe(WORKLOAD);
    let over = false;
    void timeline.whenDone().then(() => (over = true));
    await clock.advance(9999);
    expect(done).toEqual(['+a']);
    expect(over).toBe(false);
    await clock.advance(1);
    expect(stages()).toEqual(['a requested', 'a effective', 'a healed']);
    expect(over).toBe(true);
  });

  test('in settle, in reverse order, once, and nothing fires any more', async () => {
    const steps = [
      step('a', { trigger: { atMs: 0 } }),
      step('b', { trigger: { after: 'a' } }),
      step('c', { trigger: { atMs: 900 } }),
    ];
    const { clock, done, timeline, reasons } = stage(steps);
    timeline.observe(WORKLOAD);
    await clock.advance(1);
    await timeline.settle();
    await timeline.settle();
    await timeline.healAll();
    await clock.advance(10_000);
    timeline.finish();
    expect(done).toEqual(['+a', '+b', '-b', '-a']);
    expect(reasons()).toEqual(['the run settled first']);
    expect(clock.pending).toBe(0);
  });

  test('settle waits for an injection under way, and heals it', async () => {
    let release: ((outcome: FaultOutcome) => void) | undefined;
    const { done, timeline, stages } = stage([step('a', { forMs: 99, trigger: { atMs: 0 } })], {
      a: () => new Promise((resolve) => (release = resolve)),
    });
    timeline.observe(WORKLOAD);
    await settled();
    const settling = timeline.settle();
    await settled();
    expect(done).toEqual(['+a']);
    release?.({ effective: true, evidence: {} });
    await settling;
    expect(stages()).toEqual(['a requested', 'a effective', 'a healed']);
  });

  test('what a failed injection left behind is healed, without claiming that it was effective', async () => {
    const { done, timeline, stages, reasons } = stage([step('a', { trigger: { atMs: 0 } })], {
      a: () => Promise.reject(new Error('half done')),
    });
    timeline.observe(WORKLOAD);
    await timeline.settle();
    expect(done).toEqual(['+a', '-a']);
    expect(stages()).toEqual(['a requested', 'a failed']);
    expect(reasons()).toEqual(['half done']);
  });

  test('a healing that fails is an error event, and the others are still healed', async () => {
    const steps = [step('a', { trigger: { atMs: 0 } }), step('b', { trigger: { after: 'a' } })];
    const { done, events, timeline } = stage(steps, { '-b': () => Promise.reject(new Error('stuck')) });
    timeline.observe(WORKLOAD);
    await settled();
    await timeline.healAll();
    expect(done).toEqual(['+a', '+b', '-b', '-a']);
    expect(events).toContainEqual(expect.objectContaining({ kind: 'error', code: 'HEAL_FAILED' }));
  });

  test('an unknown fault fails', async () => {
    const { timeline, reasons } = stage([step('a', { fault: 'no-such', trigger: { atMs: 0 } })]);
    timeline.observe(WORKLOAD);
    await timeline.settle();
    expect(reasons()).toEqual(['there is no fault called no-such']);
  });
});

describe('settle steps', () => {
  const settle = { when: { phase: 'settle' as const } };

  test('fire after the drain only, one after another with their followers, and are healed', async () => {
    const steps = [
      step('plant', { trigger: settle }),
      step('then', { trigger: { after: 'plant', delayMs: 100 } }),
      step('last', { trigger: settle }),
      step('early', { trigger: { atMs: 0 } }),
    ];
    const { clock, done, timeline, stages } = stage(steps);
    for (const event of [WORKLOAD, FULL_SYNC, SYNCED, INCREMENTAL]) timeline.observe(event);
    await timeline.whenDone();
    await timeline.settle();
    expect(done).toEqual(['+early', '-early']);
    const firing = timeline.fireSettleSteps();
    await clock.advance(100);
    await firing;
    expect(done.slice(2)).toEqual(['+plant', '+then', '+last', '-last', '-then', '-plant']);
    timeline.finish();
    expect(stages()).not.toContain('then never-fired');
  });

  test('that the run did not get to say so', () => {
    const { timeline, reasons } = stage([step('a', { trigger: settle })]);
    timeline.finish();
    expect(reasons()).toEqual(['the run did not get that far']);
  });

  test('a failed settle step does not hold up the next', async () => {
    const steps = [
      step('a', { trigger: settle }),
      step('b', { trigger: { after: 'a' } }),
      step('c', { trigger: settle }),
    ];
    const { timeline, stages } = stage(steps, { a: () => Promise.reject(new Error('no')) });
    await timeline.settle();
    await timeline.fireSettleSteps();
    timeline.finish();
    expect(stages()).toEqual([
      'a requested',
      'a failed',
      'c requested',
      'c effective',
      'c healed',
      'b never-fired',
    ]);
  });
});

describe('every', () => {
  test('fires again, healed in between, as often as times says', async () => {
    const { clock, done, timeline, stages } = stage([
      step('a', { everyMs: 1000, times: 3, trigger: { atMs: 0 } }),
    ]);
    timeline.observe(WORKLOAD);
    let isOver = false;
    void timeline.whenDone().then(() => (isOver = true));
    await clock.advance(1999);
    expect(done).toEqual(['+a', '-a', '+a']);
    expect(isOver).toBe(false);
    await clock.advance(5000);
    expect(done).toEqual(['+a', '-a', '+a', '-a', '+a']);
    expect(isOver).toBe(true);
    await timeline.settle();
    expect(stages().filter((each) => each === 'a effective')).toHaveLength(3);
    expect(done.at(-1)).toBe('-a');
  });

  test('without times goes on until the run settles, and nobody waits for it', async () => {
    const { clock, done, timeline } = stage([step('a', { everyMs: 1000, trigger: { atMs: 0 } })]);
    timeline.observe(WORKLOAD);
    await clock.advance(0);
    await timeline.whenDone();
    await clock.advance(2500);
    expect(done.filter((each) => each === '+a')).toHaveLength(3);
    await timeline.settle();
    await clock.advance(10_000);
    expect(done.filter((each) => each === '+a')).toHaveLength(3);
    expect(clock.pending).toBe(0);
  });

  test('is followed once, however often it fires', async () => {
    const { clock, done, timeline } = stage([
      step('a', { everyMs: 1000, times: 3, trigger: { atMs: 0 } }),
      step('b', { trigger: { after: 'a' } }),
    ]);
    timeline.observe(WORKLOAD);
    await clock.advance(5000);
    expect(done.filter((each) => each === '+b')).toHaveLength(1);
  });
});

describe('a metric', () => {
  const when = { metric: 'lag_bytes', is: { comparison: '>', value: 1000 }, forMs: 3000 } as const;

  test('has to hold without a break', async () => {
    const { clock, done, timeline } = stage([step('a', { trigger: { when } })]);
    timeline.observe(FULL_SYNC);
    timeline.observe(lag(2000));
    await clock.advance(2000);
    timeline.observe(lag(1000));
    await clock.advance(2000);
    timeline.observe(lag(5000));
    await clock.advance(2999);
    timeline.observe(lag(5000));
    expect(done).toEqual([]);
    await clock.advance(1);
    expect(done).toEqual(['+a']);
  });

  test('that never was so is told with what was seen last', async () => {
    const { timeline, reasons } = stage([step('a', { trigger: { when } })]);
    timeline.observe(FULL_SYNC);
    timeline.observe(lag(7));
    await timeline.settle();
    timeline.finish();
    expect(reasons()).toEqual(['lag_bytes of link main was last seen at 7']);
  });
});

describe('bytes through a proxy', () => {
  test('hold the connection until the fault is in place', async () => {
    const link = new GatedLink();
    let inPlace: (() => void) | undefined;
    const injecting = new Promise<FaultOutcome>((resolve) => {
      inPlace = () => resolve({ effective: true, evidence: {} });
    });
    const when = { proxy: 'link:main.source', bytes: 300 };
    const { done, timeline } = stage(
      [step('a', { trigger: { when } })],
      { a: () => injecting },
      link.subjects,
    );
    await timeline.arm();
    expect(link.told).toEqual(['watch a downstream 300']);
    link.reach();
    await settled();
    expect(done).toEqual(['+a']);
    expect(link.told).toHaveLength(1);
    inPlace?.();
    await settled();
    expect(link.told.at(-1)).toBe('release a');
  });

  test('that do not come are told, and the watch is taken back', async () => {
    const link = new GatedLink();
    const when = { proxy: 'link:main.target', bytes: 300 };
    const { timeline, reasons } = stage([step('a', { trigger: { when } })], {}, link.subjects);
    await timeline.arm();
    await timeline.settle();
    timeline.finish();
    expect(link.told).toEqual(['watch a upstream 300', 'release a']);
    expect(reasons()).toEqual(['no connection through link:main.target carried 300 bytes']);
  });
});

describe('healAll', () => {
  test('ends an injection under way through its signal', async () => {
    const clock = new ManualClock();
    const events: RunEventBody[] = [];
    const slow: FaultDefinition = {
      name: 'slow',
      summary: 'For tests.',
      requires: [],
      aims: 'any',
      schema: {},
      reversible: true,
      dataLoss: 'none',
      prepare: ({ signal }) => ({
        inject: () =>
          new Promise((_resolve, reject) => {
            signal.addEventListener('abort', () => reject(new Error('ended')));
          }),
        heal: () => Promise.resolve(),
      }),
    };
    const timeline = new Timeline({
      steps: [step('a', { fault: 'slow', trigger: { atMs: 0 } })],
      clock,
      instances: () => new Map(),
      subjects: NO_SUBJECTS,
      emit: (event) => events.push(event),
      findFault: () => slow,
    });
    timeline.observe(WORKLOAD);
    await timeline.healAll();
    await timeline.fireSettleSteps();
    expect(events).toContainEqual(
      expect.objectContaining({ kind: 'fault', stage: 'failed', reason: 'ended' }),
    );
  });
});

describe('timelineMs', () => {
  test('is the end of the last step of the run part', () => {
    const steps = [
      step('a', { forMs: 1000, trigger: { atMs: 5000 } }),
      step('b', { trigger: { after: 'a', delayMs: 3000 } }),
      step('c', { trigger: { when: { phase: 'settle' }, delayMs: 60_000 } }),
      step('d', { trigger: { after: 'c', delayMs: 60_000 } }),
    ];
    expect(timelineMs(steps)).toBe(8000);
    expect(timelineMs([])).toBe(0);
  });
});
