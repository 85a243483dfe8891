import { getEventListeners } from 'node:events';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { newCounters } from '../../../engine/apply/counters.ts';
import type { LinkFinding } from '../../../engine/apply/finding.ts';
import { StreamApplier, type StreamApplierOptions } from '../../../engine/apply/stream-applier.ts';
import { UNKNOWN_TARGET } from '../../../engine/apply/target-facts.ts';
import { Target } from '../../../engine/apply/target.ts';
import { DEFAULT_ENGINE_OPTIONS, type EngineOptions } from '../../../engine/link/options.ts';
import { encodeCommands } from '../../../engine/resp/encode.ts';
import { ScriptedTarget, type ExecAnswer } from '../../support/scripted-target.ts';

const START = { replid: 'r'.repeat(40), offset: 1000n, database: 0, path: 'p', alone: true };
const OOM = "OOM command not allowed when used memory > 'maxmemory'.";

/** An applier with a scripted target, and what it told. */
class Bench implements AsyncDisposable {
  readonly server: ScriptedTarget;
  readonly target: Target;
  readonly applier: StreamApplier;
  readonly counters = newCounters();
  readonly findings: LinkFinding[] = [];
  readonly failures: Error[] = [];
  readonly controller = new AbortController();
  acks = 0;
  /** End of what was pushed. */
  offset = START.offset;

  private constructor(
    server: ScriptedTarget,
    engine: Partial<EngineOptions>,
    options: Partial<StreamApplierOptions>,
  ) {
    this.server = server;
    const checkpoint = { replid: START.replid, offset: '1000', db: '0', path: 'p', alone: '1' };
    for (const [field, value] of Object.entries(checkpoint)) server.checkpoint.set(field, value);
    this.target = new Target({
      endpoint: server.endpoint,
      name: 'test',
      replyTimeoutMs: 5000,
      retryMs: 60_000,
      random: () => 0,
      now: () => performance.now(),
      onWaiting: () => this.counters.retries++,
      onWorking: () => undefined,
    });
    this.applier = new StreamApplier({
      link: 'a->b',
      target: this.target,
      engine: { ...DEFAULT_ENGINE_OPTIONS, heartbeatMs: 0, ...engine },
      counters: this.counters,
      start: START,
      onAckRequested: () => this.acks++,
      onFinding: (finding) => this.findings.push(finding),
      onFailed: (error) => this.failures.push(error),
      wallClock: () => 5000,
      facts: UNKNOWN_TARGET,
      sourceOffsetMs: () => undefined,
      signal: this.controller.signal,
      ...options,
    });
  }

  static async open(
    engine: Partial<EngineOptions> = {},
    options: Partial<StreamApplierOptions> = {},
  ): Promise<Bench> {
    return new Bench(await ScriptedTarget.start(), engine, options);
  }

  /** Pushes commands; resolves as `push` does. */
  async push(...commands: (string | number)[][]): Promise<void> {
    const bytes = encodeCommands(commands);
    this.offset += BigInt(bytes.length);
    await this.applier.push(bytes);
  }

  get checkpoint(): bigint {
    return BigInt(this.server.checkpoint.get('offset') ?? '-1');
  }

  /** Commands with this name that the target was sent, applied or not. */
  sent(name: string): number {
    return this.server.received.filter(([word]) => word === name).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.controller.abort();
    await this.target.close();
    await this.applier.settled();
    await this.target.close();
    await this.server[Symbol.asyncDispose]();
  }
}

/** Looks again and again; the test's own limit ends it. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 1));
}

/** A promise and its switch. */
class Gate {
  readonly opened: Promise<void>;
  #open: (() => void) | undefined;

  constructor() {
    this.opened = new Promise((resolve) => (this.#open = resolve));
  }

  open(): void {
    this.#open?.();
  }
}

const rejections: unknown[] = [];
const onRejection = (reason: unknown): void => void rejections.push(reason);
beforeEach(() => {
  rejections.length = 0;
  process.on('unhandledRejection', onRejection);
});
afterEach(async () => {
  await new Promise((resolve) => setImmediate(resolve));
  process.off('unhandledRejection', onRejection);
  if (rejections.length > 0) throw new Error(`unhandled: ${rejections.map(String).join(', ')}`);
});

describe('StreamApplier', () => {
  it('claims its connection once, then applies envelopes with their checkpoint', async () => {
    await using bench = await Bench.open();
    await bench.push(['SET', 'a', 1], ['SET', 'b', 2]);
    await bench.applier.drain();
    await bench.push(['SET', 'c', 3]);
    await bench.applier.drain();
    expect(bench.server.effects).toEqual(['SET a 1', 'SET b 2', 'SET c 3']);
    expect(bench.checkpoint).toBe(bench.offset);
    expect(bench.applier.appliedOffset).toBe(bench.offset);
    expect(bench.sent('INCR')).toBe(1);
    // One watch when claiming, one behind each EXEC.
    expect(bench.sent('WATCH')).toBe(3);
    expect(bench.counters).toMatchObject({ streamCommands: 3, retries: 0 });
  });

  it('does not take an envelope for applied before the target says so', async () => {
    await using bench = await Bench.open();
    const gate = new Gate();
    bench.server.onExec = () => ({ kind: 'hold', until: gate.opened });
    await bench.push(['SET', 'a', 1]);
    await until(() => bench.sent('EXEC') === 1);
    expect(bench.applier.appliedOffset).toBe(START.offset);
    await bench.push(['PING']);
    expect(bench.applier.appliedOffset).toBe(START.offset);
    gate.open();
    await bench.applier.drain();
    expect(bench.applier.appliedOffset).toBe(bench.offset);
  });

  it('has one envelope executing, one queued behind it without EXEC, and lets no more in than one filling', async () => {
    await using bench = await Bench.open({ envelopeCommands: 2 });
    const gate = new Gate();
    bench.server.onExec = (_, attempt) =>
      attempt === 1 ? { kind: 'hold', until: gate.opened } : { kind: 'apply' };
    await bench.push(['SET', 'a', 1], ['SET', 'b', 2]);
    await bench.push(['SET', 'c', 3], ['SET', 'd', 4]);
    let accepted = false;
    const third = bench.push(['SET', 'e', 5], ['SET', 'f', 6]).then(() => (accepted = true));
    await until(() => bench.sent('EXEC') === 1);
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(accepted).toBe(false);
    gate.open();
    await third;
    await bench.applier.drain();
    expect(bench.server.applied.map((transaction) => transaction.length)).toEqual([3, 3, 3]);
    expect(bench.server.effects).toEqual(['SET a 1', 'SET b 2', 'SET c 3', 'SET d 4', 'SET e 5', 'SET f 6']);
    // The second one was on its way before the first was executed, its EXEC was not.
    const words = bench.server.received.map(([name = '', key = '']) => (name === 'SET' ? key : name));
    expect(words.indexOf('c')).toBeLessThan(words.indexOf('EXEC', words.indexOf('EXEC') + 1));
  });

  it('sends a refused envelope again, in order, before anything that came behind it', async () => {
    for (const refusal of ['queued', 'executed'] as const) {
      await using bench = await Bench.open({ envelopeCommands: 2 });
      let full = true;
      bench.server.onQueue = ([name]) => (refusal === 'queued' && full && name === 'SET' ? OOM : undefined);
      bench.server.onExec = () =>
        refusal === 'executed' && full
          ? { kind: 'refuse', line: `-EXECABORT Transaction discarded because of: ${OOM}` }
          : { kind: 'apply' };
      const pushing = (async () => {
        for (let value = 0; value < 20; value++) await bench.push(['SET', 'k', value]);
        await bench.applier.drain();
      })();
      await until(() => bench.counters.retries >= 3);
      expect(bench.server.applied).toEqual([]);
      expect(bench.applier.appliedOffset).toBe(START.offset);
      full = false;
      await pushing;
      expect(bench.server.effects).toEqual(Array.from({ length: 20 }, (_, value) => `SET k ${value}`));
      expect(bench.counters.errors['OOM']).toBeGreaterThanOrEqual(3);
      expect(bench.findings).toEqual([]);
    }
  });

  it('resolves a lost reply by reading the checkpoint: sends again what was not applied, and only that', async () => {
    for (const applied of [true, false]) {
      await using bench = await Bench.open({ envelopeCommands: 2 });
      bench.server.onExec = (_, attempt) => (attempt === 2 ? { kind: 'cut', applied } : { kind: 'apply' });
      for (let value = 0; value < 12; value++) await bench.push(['APPEND', 'k', value]);
      await bench.applier.drain();
      expect(bench.server.effects).toEqual(Array.from({ length: 12 }, (_, value) => `APPEND k ${value}`));
      expect(bench.server.connections).toBe(2);
      expect(bench.checkpoint).toBe(bench.offset);
    }
  });

  it('is not misled by protocol lines that moved its position beyond the checkpoint', async () => {
    await using bench = await Bench.open();
    bench.server.onExec = (_, attempt) =>
      attempt === 2 ? { kind: 'cut', applied: false } : { kind: 'apply' };
    await bench.push(['INCR', 'a']);
    await bench.applier.drain();
    await bench.push(['PING']);
    expect(bench.applier.appliedOffset).toBe(bench.offset);
    expect(bench.checkpoint).toBeLessThan(bench.offset);
    await bench.push(['INCR', 'b']);
    await bench.applier.drain();
    expect(bench.server.effects).toEqual(['INCR a', 'INCR b']);
  });

  it('moves on over protocol lines that come behind the last envelope, without another push', async () => {
    await using bench = await Bench.open();
    await bench.push(['INCR', 'a'], ['PING'], ['REPLCONF', 'GETACK', '*']);
    await bench.push(['PING']);
    await bench.applier.drain();
    expect(bench.applier.appliedOffset).toBe(bench.offset);
  });

  it('asks the target where the link is when its transaction was overtaken', async () => {
    await using bench = await Bench.open();
    bench.server.onExec = (_, attempt) =>
      attempt === 1 ? { kind: 'refuse', line: '*-1' } : { kind: 'apply' };
    await bench.push(['INCR', 'a']);
    await bench.applier.drain();
    expect(bench.server.effects).toEqual(['INCR a']);
    expect(bench.server.connections).toBe(2);
  });

  it('stops when somebody else moved the checkpoint, or it is gone', async () => {
    for (const [moved, message] of [
      ['4711', /Somebody else moved the checkpoint/],
      [undefined, /lost writes/],
      ['7', /lost writes/],
    ] as const) {
      await using bench = await Bench.open();
      await bench.push(['INCR', 'a']);
      await bench.applier.drain();
      bench.server.onExec = () => {
        if (moved === undefined) bench.server.checkpoint.clear();
        else bench.server.checkpoint.set('offset', moved);
        return { kind: 'refuse', line: '*-1' };
      };
      await bench.push(['INCR', 'b']);
      await expect(bench.applier.drain()).rejects.toMatchObject({
        code: 'APPLY_REFUSED',
        retryable: false,
        message: expect.stringMatching(message),
      });
      expect(bench.failures).toHaveLength(1);
      await expect(bench.push(['INCR', 'c'])).rejects.toBe(bench.failures[0]);
      expect(bench.server.effects).toEqual(['INCR a']);
    }
  });

  it('reports a command that failed inside a transaction, and goes on', async () => {
    await using bench = await Bench.open();
    // Behind MULTI: the checkpoint is element 0.
    bench.server.onExec = () => ({ kind: 'apply', errors: { 2: 'WRONGTYPE Operation against a key' } });
    await bench.push(['INCR', 'a'], ['LPUSH', 'b', 'secret'], ['INCR', 'c']);
    await bench.applier.drain();
    expect(bench.findings).toMatchObject([
      {
        code: 'APPLY_ERROR',
        message: expect.stringMatching(/LPUSH "b": WRONGTYPE/),
        evidence: { command: 'LPUSH' },
      },
    ]);
    expect(JSON.stringify(bench.findings)).not.toContain('secret');
    expect(bench.counters.errors).toEqual({ WRONGTYPE: 1 });
    expect(bench.applier.appliedOffset).toBe(bench.offset);
  });

  it('sends a transaction again of which nothing was executed: rights were taken away behind its queuing', async () => {
    await using bench = await Bench.open();
    const noperm =
      'NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC call.';
    // The checkpoint, the data; the SELECTs around it are nobody's to refuse.
    bench.server.onExec = (_, attempt) =>
      attempt === 1 ? { kind: 'apply', errors: { 0: noperm, 2: noperm, 3: noperm } } : { kind: 'apply' };
    await bench.push(['SELECT', 1], ['INCR', 'a'], ['INCR', 'b']);
    await bench.applier.drain();
    expect(bench.server.effects).toEqual(['INCR a', 'INCR b']);
    expect(bench.counters.errors).toEqual({ NOPERM: 1 });
    expect(bench.findings).toEqual([]);
    expect(bench.applier.appliedOffset).toBe(bench.offset);
  });

  it('lets nobody continue from a transaction of which a part was not executed', async () => {
    await using bench = await Bench.open();
    bench.server.onExec = (_, attempt) =>
      attempt === 1 ? { kind: 'apply', errors: { 1: 'NOPERM ACLs rules changed' } } : { kind: 'apply' };
    await bench.push(['SET', 'a', 1], ['APPEND', 'a', 'x']);
    await expect(bench.applier.drain()).rejects.toMatchObject({
      code: 'APPLY_REFUSED',
      hint: expect.stringContaining('full sync'),
    });
    expect(bench.server.checkpoint.size).toBe(0);
    expect(bench.server.applied.at(-1)).toEqual([
      ['DEL', 'redis-sync:link:a->b', 'redis-sync:loading:a->b'],
      [
        'HSET',
        'redis-sync:loading:a->b',
        'replid',
        START.replid,
        'offset',
        String(bench.offset),
        'alone',
        '1',
      ],
    ]);
  });

  it('stops at an answer that is none', async () => {
    await using bench = await Bench.open();
    bench.server.onExec = () => ({ kind: 'refuse', line: '+OK' });
    await bench.push(['INCR', 'a']);
    await expect(bench.applier.drain()).rejects.toMatchObject({ code: 'PROTOCOL' });
  });

  it('applies what stands before a command that must not be applied, then stops', async () => {
    await using bench = await Bench.open({ flush: 'fail' });
    await expect(bench.push(['INCR', 'a'], ['FLUSHALL'], ['INCR', 'b'])).rejects.toMatchObject({
      code: 'POLICY',
    });
    expect(bench.server.effects).toEqual(['INCR a']);
    expect(bench.checkpoint).toBe(START.offset + BigInt(encodeCommands([['INCR', 'a']]).length));
    expect(bench.findings).toMatchObject([{ code: 'FLUSH', severity: 'error' }]);
  });

  it('sends nothing of a transaction that has not ended', async () => {
    await using bench = await Bench.open({ envelopeCommands: 1 });
    await bench.push(['MULTI'], ['INCR', 'a'], ['INCR', 'b'], ['INCR', 'c']);
    await bench.applier.drain();
    expect(bench.server.received).toEqual([]);
    expect(bench.applier.appliedOffset).toBe(START.offset);
    await bench.push(['EXEC']);
    await bench.applier.drain();
    expect(bench.server.applied).toHaveLength(1);
    expect(bench.server.effects).toEqual(['INCR a', 'INCR b', 'INCR c']);
    expect(bench.counters.transactions).toBe(1);
  });

  it('answers GETACK at once, and again when everything before it is applied', async () => {
    await using bench = await Bench.open();
    const gate = new Gate();
    bench.server.onExec = () => ({ kind: 'hold', until: gate.opened });
    await bench.push(['INCR', 'a'], ['REPLCONF', 'GETACK', '*']);
    await until(() => bench.sent('EXEC') === 1);
    expect(bench.acks).toBe(1);
    gate.open();
    await bench.applier.drain();
    expect(bench.acks).toBe(2);
    await bench.push(['INCR', 'b']);
    await bench.applier.drain();
    expect(bench.acks).toBe(2);
  });

  it('takes lag samples from heartbeats, with a transaction of its own when nothing else comes', async () => {
    await using bench = await Bench.open();
    await bench.push(['SETEX', 'DTS_REDIS_TIMESTAMP_HEARTBEAT:x', 3, 4990]);
    await bench.applier.drain();
    expect(bench.counters.lagMs).toBe(10);
    expect(bench.server.applied).toHaveLength(1);
    expect(bench.server.effects).toEqual([]);
    expect(bench.checkpoint).toBe(bench.offset);
  });

  it('writes the checkpoint when only dropped commands came for long', async () => {
    await using bench = await Bench.open();
    const message = 'm'.repeat(1000);
    for (let index = 0; index < 60; index++) await bench.push(['PUBLISH', 'c', message]);
    expect(bench.server.received).toEqual([]);
    for (let index = 0; index < 10; index++) await bench.push(['PUBLISH', 'c', message]);
    await bench.applier.drain();
    expect(bench.server.applied).toHaveLength(1);
    expect(bench.checkpoint).toBeGreaterThan(START.offset + 64n * 1024n);
  });

  it('ends when it is aborted, whatever it waits for, and leaves no listener on the signal', async () => {
    const never = new Promise<void>(() => undefined);
    const answers: ExecAnswer[] = [
      { kind: 'hold', until: never },
      { kind: 'refuse', line: `-${OOM}` },
      { kind: 'cut', applied: false },
    ];
    for (const answer of answers) {
      const bench = await Bench.open();
      bench.server.onExec = () => answer;
      await bench.push(['INCR', 'a']);
      await until(() => bench.sent('EXEC') > 0);
      bench.controller.abort(new Error('enough'));
      await bench.target.close();
      await expect(bench.applier.drain()).rejects.toThrow(/enough|closed by us/);
      await bench[Symbol.asyncDispose]();
      expect(getEventListeners(bench.controller.signal, 'abort')).toEqual([]);
    }
  });

  it('applies a stream exactly once and in order, whatever comes of each EXEC', async () => {
    const answer: fc.Arbitrary<ExecAnswer> = fc.oneof(
      { weight: 5, arbitrary: fc.constant<ExecAnswer>({ kind: 'apply' }) },
      { weight: 1, arbitrary: fc.boolean().map((applied): ExecAnswer => ({ kind: 'cut', applied })) },
      {
        weight: 1,
        arbitrary: fc.constant<ExecAnswer>({
          kind: 'refuse',
          line: `-EXECABORT Transaction discarded because of: ${OOM}`,
        }),
      },
      { weight: 1, arbitrary: fc.constant<ExecAnswer>({ kind: 'refuse', line: '*-1' }) },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(answer, { maxLength: 12 }),
        fc.integer({ min: 1, max: 7 }),
        fc.integer({ min: 1, max: 5 }),
        async (answers, envelopeCommands, perPush) => {
          await using bench = await Bench.open({ envelopeCommands });
          bench.server.onExec = (_, attempt) => answers[attempt - 1] ?? { kind: 'apply' };
          const expected: string[] = [];
          let value = 0;
          while (expected.length < 40) {
            const commands = Array.from({ length: perPush }, () => ['APPEND', 'k', value++]);
            expected.push(...commands.map((words) => words.join(' ')));
            await bench.push(...commands);
            if (value % 3 === 0) await new Promise((resolve) => setImmediate(resolve));
          }
          await bench.applier.drain();
          expect(bench.server.effects).toEqual(expected);
          expect(bench.checkpoint).toBe(bench.offset);
          expect(bench.applier.appliedOffset).toBe(bench.offset);
        },
      ),
      { seed: 6, numRuns: 25 },
    );
  });
});
