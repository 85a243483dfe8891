/** What the translator does with commands that a policy decides about. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { EnvelopeBuilder } from '../../../engine/apply/envelope.ts';
import { ScriptBook } from '../../../engine/apply/script-book.ts';
import { StreamTranslator, type TranslatorOptions } from '../../../engine/apply/stream-translator.ts';
import { encodeCommands } from '../../../engine/resp/encode.ts';
import { bodyOf } from './stream-model.ts';

const KEY = 'redis-sync:link:l';
const START = 1000n;
const BODY = "redis.call('incr', KEYS[1])";
const SHA = createHash('sha1').update(BODY).digest('hex');
const ABSENT = '0'.repeat(40);

class Bench {
  readonly builder: EnvelopeBuilder;
  readonly translator: StreamTranslator;
  readonly dropped: string[] = [];
  readonly handled: string[] = [];
  readonly runs: string[] = [];
  readonly book = new ScriptBook();

  constructor(policies: Partial<TranslatorOptions> = {}, scripts: 'apply' | 'fail' = 'apply') {
    const start = { replid: 'r'.repeat(40), offset: START, database: 0, path: 'origin', alone: true };
    this.builder = new EnvelopeBuilder({ checkpointKey: KEY, sizeBytes: 4096, start });
    this.translator = new StreamTranslator({
      builder: this.builder,
      start,
      heartbeatPrefix: 'DTS_',
      checkpointKey: KEY,
      flush: 'propagate',
      onAckRequested: () => undefined,
      onDropped: (reason) => this.dropped.push(reason),
      onHandled: (what) => this.handled.push(what),
      onFlush: () => undefined,
      scripts: {
        policy: scripts,
        book: this.book,
        onRun: ({ sha, keys }, { database }) =>
          this.runs.push(`${sha.slice(0, 4)} ${keys.join(' ')} db${database}`),
      },
      ...policies,
    });
  }

  push(...commands: (string | number)[][]): void {
    this.translator.push(encodeCommands(commands));
  }

  body(): string[] {
    return bodyOf(this.builder.take());
  }
}

function lengthOf(...commands: (string | number)[][]): bigint {
  return BigInt(encodeCommands(commands).length);
}

describe('messages', () => {
  it('drop: neither kind reaches the target', () => {
    const bench = new Bench();
    bench.push(['PUBLISH', 'c', 'm'], ['SET', 'a', '1'], ['spublish', 'c', 'm']);
    expect(bench.body()).toEqual(['SET a 1']);
    expect(bench.dropped).toEqual(['publish', 'publish']);
  });

  it('forward: in their order between the writes, but never what Sentinels say', () => {
    const bench = new Bench({ publish: 'forward' });
    bench.push(
      ['SET', 'a', '1'],
      ['publish', 'c', 'm'],
      ['PUBLISH', '__sentinel__:hello', '127.0.0.1,26379,…'],
      ['SPUBLISH', 's', 'm'],
      ['SET', 'b', '2'],
    );
    expect(bench.body()).toEqual(['SET a 1', 'publish c m', 'SPUBLISH s m', 'SET b 2']);
    expect(bench.dropped).toEqual(['publish']);
    expect(bench.handled).toEqual(['publish', 'publish']);
  });
});

describe('SWAPDB', () => {
  it('propagate: counted, and named to whoever looks whether it may hit the target', () => {
    const bench = new Bench();
    bench.push(['SET', 'a', '1'], ['swapdb', '1', '2']);
    expect(bench.handled).toEqual(['swapdb']);
    expect(bench.builder.take()).toMatchObject({ sweeping: ['SWAPDB'] });
    bench.push(['SET', 'a', '1']);
    expect(bench.builder.take()).toMatchObject({ sweeping: [] });
  });

  for (const [name, policy, cluster] of [
    ['fail', 'fail', false],
    ['a cluster cannot swap', 'propagate', true],
  ] as const) {
    it(`${name}: stops right before it, with everything in front complete`, () => {
      const refused: string[] = [];
      const bench = new Bench({
        swapdb: { policy, cluster, onRefused: ({ offset }) => refused.push(String(offset - START)) },
      });
      const push = (): void => bench.push(['SET', 'a', '1'], ['SWAPDB', '0', '3'], ['SET', 'b', '2']);
      expect(push).toThrow(
        expect.objectContaining({ code: 'POLICY', message: expect.stringContaining('SWAPDB') }),
      );
      const envelope = bench.builder.take();
      expect(bodyOf(envelope)).toEqual(['SET a 1']);
      expect(envelope.checkpoint.offset).toBe(START + lengthOf(['SET', 'a', '1']));
      expect(refused).toEqual([String(lengthOf(['SET', 'a', '1'], ['SWAPDB', '0', '3']))]);
    });
  }
});

describe('flushes that are propagated', () => {
  it('are named to whoever looks whether they may hit the target, also inside a transaction', () => {
    const bench = new Bench();
    bench.push(['MULTI'], ['flushdb'], ['SET', 'a', '1'], ['EXEC'], ['FLUSHALL']);
    expect(bench.builder.take()).toMatchObject({ sweeping: ['FLUSHDB', 'FLUSHALL'] });
    expect(bench.handled).toEqual(['flushdb', 'flushall']);
  });

  it('are named with their own envelope when a transaction is still open', () => {
    const bench = new Bench();
    bench.push(['FLUSHALL'], ['SET', 'a', '1'], ['MULTI'], ['FLUSHDB']);
    expect(bench.builder.take()).toMatchObject({ sweeping: ['FLUSHALL'] });
    bench.push(['EXEC']);
    expect(bench.builder.take()).toMatchObject({ sweeping: ['FLUSHDB'] });
  });
});

describe('scripts as text', () => {
  it('apply: EVAL as it is, EVALSHA with the body that came before, each told with its declared keys', () => {
    const bench = new Bench();
    bench.push(
      ['EVAL', BODY, 1, 'a', 'x'],
      ['SELECT', 3],
      ['EVALSHA', SHA, 2, 'b', 'c', 'y', 'z'],
      ['SET', 'd', '1'],
    );
    expect(bench.body()).toEqual([
      `EVAL ${BODY} 1 a x`,
      'SELECT 3',
      `EVAL ${BODY} 2 b c y z`,
      'SET d 1',
      'SELECT 0',
    ]);
    const id = SHA.slice(0, 4);
    expect(bench.runs).toEqual([`${id} a db0`, `${id} b c db3`]);
    expect(bench.handled).toEqual(['rewritten evalsha']);
  });

  it('knows the body also from SCRIPT LOAD, which goes on to the target', () => {
    const bench = new Bench();
    bench.push(['script', 'load', BODY], ['EVALSHA', SHA, 0], ['SCRIPT', 'FLUSH']);
    expect(bench.body()).toEqual([`script load ${BODY}`, `EVAL ${BODY} 0`, 'SCRIPT FLUSH']);
  });

  it('names a script that only the target can know to whoever looks whether it does', () => {
    const bench = new Bench();
    bench.push(['EVALSHA', ABSENT, 1, 'k']);
    const envelope = bench.builder.take();
    expect(bodyOf(envelope)).toEqual([`EVALSHA ${ABSENT} 1 k`]);
    expect(envelope.scripts).toEqual([ABSENT]);
    bench.push(['EVAL', BODY, 0], ['EVALSHA', SHA, 0]);
    expect(bench.builder.take().scripts).toEqual([]);
  });

  it('fail: stops right before the script, and before its transaction', () => {
    for (const around of [[], [['MULTI']]]) {
      const bench = new Bench({}, 'fail');
      const push = (): void => bench.push(['SET', 'a', '1'], ...around, ['EVAL', BODY, 1, 'k']);
      expect(push).toThrow(
        expect.objectContaining({ code: 'POLICY', message: expect.stringContaining(SHA) }),
      );
      const envelope = bench.builder.take();
      expect(bodyOf(envelope)).toEqual(['SET a 1']);
      expect(envelope.checkpoint.offset).toBe(START + lengthOf(['SET', 'a', '1']));
      expect(bench.runs).toEqual([`${SHA.slice(0, 4)} k db0`]);
    }
  });
});

it('counts every command that it sends in another form', () => {
  const bench = new Bench();
  bench.push(['SETNX', 'a', '1'], ['SET', 'a', '1', 'NX'], ['SET', 'a', '1'], ['PEXPIREAT', 'a', '5', 'GT']);
  expect(bench.handled).toEqual(['rewritten setnx', 'rewritten set', 'rewritten expire']);
});
