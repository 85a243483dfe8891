import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EnvelopeBuilder, type Envelope } from '../../../engine/apply/envelope.ts';
import { StreamTranslator } from '../../../engine/apply/stream-translator.ts';
import type { FlushPolicy } from '../../../engine/link/options.ts';
import { encodeCommand, encodeCommands } from '../../../engine/resp/encode.ts';
import { bodyOf, ServerModel } from './stream-model.ts';

const KEY = 'redis-sync:link:a->b';
const HEARTBEAT = 'DTS_REDIS_TIMESTAMP_HEARTBEAT';
const START = 1000n;

/** A translator with its builder, and what it told. */
class Bench {
  readonly builder: EnvelopeBuilder;
  readonly translator: StreamTranslator;
  readonly dropped: string[] = [];
  readonly flushes: string[] = [];
  readonly asked: bigint[] = [];

  constructor(options: { flush?: FlushPolicy; database?: number; sizeBytes?: number } = {}) {
    const { flush = 'propagate', database = 0, sizeBytes = 4096 } = options;
    const start = { replid: 'r'.repeat(40), offset: START, database, path: 'origin', alone: false };
    this.builder = new EnvelopeBuilder({ checkpointKey: KEY, sizeBytes, start });
    this.translator = new StreamTranslator({
      builder: this.builder,
      start,
      heartbeatPrefix: HEARTBEAT,
      checkpointKey: KEY,
      flush,
      onAckRequested: (offset) => this.asked.push(offset),
      onDropped: (reason) => this.dropped.push(reason),
      onFlush: (name, at, offset) => this.flushes.push(`${name} db${at} ${offset - START}`),
    });
  }

  push(...commands: (string | number)[][]): void {
    this.translator.push(encodeCommands(commands));
  }

  /** What would be sent now. */
  body(): string[] {
    return bodyOf(this.builder.take());
  }
}

function always(...words: string[]): fc.Arbitrary<string[][]> {
  return fc.constant([words]);
}

/** Bytes of the stream up to the end of the last of these commands. */
function lengthOf(...commands: (string | number)[][]): bigint {
  return BigInt(encodeCommands(commands).length);
}

describe('StreamTranslator', () => {
  it('forwards commands as the very bytes they came in, adjacent ones together', () => {
    const bench = new Bench();
    const bytes = encodeCommands([
      ['set', 'a', '1'],
      ['InCr', 'n'],
      ['XADD', 's', '1-1', 'f', 'v'],
    ]);
    bench.translator.push(bytes);
    const envelope = bench.builder.take();
    expect(envelope.bytes.subarray(-bytes.length).equals(bytes)).toBe(true);
    expect(envelope.commands).toBe(3);
  });

  const SWALLOWED: [name: string, command: string[], dropped: string[]][] = [
    ['PING', ['PING'], []],
    ['SELECT of the database that is selected', ['SELECT', '0'], []],
    ['PUBLISH', ['PUBLISH', '__sentinel__:hello', 'x'], ['publish']],
    ['SPUBLISH', ['SPUBLISH', 'shard', 'x'], ['publish']],
    [
      'the heartbeat',
      ['SET', `${HEARTBEAT}:a->b:1`, '1700000000000', 'PXAT', '1700000003000'],
      ['heartbeat'],
    ],
    ['the expiry of the heartbeat', ['DEL', `${HEARTBEAT}:a->b:1`], ['heartbeat']],
    ['the checkpoint of another link', ['HSET', 'redis-sync:link:c->a', 'offset', '1'], ['checkpoint']],
    ['the fence of another link', ['INCR', 'redis-sync:fence:c->a'], ['checkpoint']],
  ];
  for (const [name, command, dropped] of SWALLOWED) {
    it(`does not forward ${name}, in any case, and moves the offset on`, () => {
      for (const word of [command[0] ?? '', (command[0] ?? '').toLowerCase()]) {
        const bench = new Bench();
        const words = [word, ...command.slice(1)];
        bench.push(words);
        expect(bench.builder.hasUnits).toBe(false);
        expect(bench.dropped).toEqual(dropped);
        expect(bench.translator.offset).toBe(START + lengthOf(words));
        expect(bench.builder.offset).toBe(START + lengthOf(words));
      }
    });
  }

  const REWRITTEN: [from: string, to: string][] = [
    ['SET k v NX', 'SET k v'],
    ['set k v xx GET px 5', 'set k v px 5'],
    ['SET k v KEEPTTL', 'SET k v KEEPTTL'],
    ['SET NX NX', 'SET NX NX'],
    ['SETNX k v', 'SET k v'],
    ['setnx k NX', 'SET k NX'],
    ['HSETNX h f v', 'HSET h f v'],
    ['MSETNX a 1 b 2', 'MSET a 1 b 2'],
    ['RENAMENX a b', 'RENAME a b'],
    ['PEXPIREAT k 123 GT', 'PEXPIREAT k 123'],
    ['expireat k 123 nx', 'expireat k 123'],
    ['PEXPIRE k 5 LT', 'PEXPIRE k 5'],
    ['EXPIRE k 5 XX', 'EXPIRE k 5'],
    ['PEXPIREAT k 123', 'PEXPIREAT k 123'],
    ['COPY a b', 'COPY a b REPLACE'],
    ['COPY a b DB 3', 'COPY a b DB 3 REPLACE'],
    ['copy a b replace', 'copy a b replace'],
    ['RESTORE k 0 payload', 'RESTORE k 0 payload REPLACE'],
    ['RESTORE k 5 payload ABSTTL replace', 'RESTORE k 5 payload ABSTTL replace'],
    ['RESTORE-ASKING k 0 payload REPLACE', 'RESTORE k 0 payload REPLACE'],
    ['restore-asking k 0 payload', 'RESTORE k 0 payload REPLACE'],
    // Conditions that concern single members, or that the exact state of the target answers as the source's did.
    ['ZADD z GT 5 m', 'ZADD z GT 5 m'],
    ['LPUSHX l a', 'LPUSHX l a'],
    ['XADD s NOMKSTREAM 1-1 f v', 'XADD s NOMKSTREAM 1-1 f v'],
  ];
  for (const [from, to] of REWRITTEN) {
    it(`${from === to ? 'leaves' : 'turns'} ${from}${from === to ? ' as it is' : ` into ${to}`}`, () => {
      const bench = new Bench();
      bench.push(['APPEND', 'before', 'x'], from.split(' '), ['APPEND', 'behind', 'x']);
      expect(bench.body()).toEqual(['APPEND before x', to, 'APPEND behind x']);
      expect(bench.builder.offset).toBe(
        START + lengthOf(['APPEND', 'before', 'x'], from.split(' '), ['APPEND', 'behind', 'x']),
      );
    });
  }

  it('does not take words that only look like a treated name for it', () => {
    const bench = new Bench();
    const commands = [
      ['SETX', 'a'],
      ['PINGS'],
      ['GETSET', 'a', 'b'],
      ['RESTORE\rASKING', 'a'],
      ['FLUSHALLX'],
    ];
    bench.push(...commands);
    expect(bench.body()).toEqual(commands.map((words) => words.join(' ')));
  });

  it('takes the value of the heartbeat in every form it arrives in', () => {
    const bench = new Bench();
    bench.push(
      ['SETEX', `${HEARTBEAT}:x`, 3, 111],
      ['SET', `${HEARTBEAT}:x`, 222, 'PXAT', 5],
      ['PSETEX', `${HEARTBEAT}:x`, 3000, 333],
      ['DEL', `${HEARTBEAT}:x`],
      ['SETEX', `${HEARTBEAT}:x`, 3, 'no time'],
    );
    expect(bench.builder.take().heartbeats).toEqual([111, 222, 333]);
    expect(bench.dropped).toHaveLength(5);
  });

  it('answers REPLCONF GETACK with the offset behind it', () => {
    const bench = new Bench();
    bench.push(['SET', 'a', '1'], ['REPLCONF', 'GETACK', '*'], ['PING']);
    expect(bench.asked).toEqual([START + lengthOf(['SET', 'a', '1'], ['REPLCONF', 'GETACK', '*'])]);
    expect(bench.body()).toEqual(['SET a 1']);
  });

  it('counts newlines between commands into the offset', () => {
    const bench = new Bench();
    bench.translator.push(Buffer.from(`\n\n${encodeCommand(['PING']).toString()}\n`));
    expect(bench.builder.offset).toBe(START + 3n + lengthOf(['PING']));
  });

  it('keeps the selected database over chunks, transactions and a database ≥ 10', () => {
    const bench = new Bench({ database: 3 });
    bench.push(
      ['SET', 'a', '1'],
      ['SELECT', '12'],
      ['MULTI'],
      ['SET', 'b', '2'],
      ['SELECT', '7'],
      ['SET', 'c', '3'],
      ['EXEC'],
    );
    bench.push(['SET', 'd', '4']);
    const envelope = bench.builder.take();
    expect(bodyOf(envelope)).toEqual([
      'SELECT 3',
      'SET a 1',
      'SELECT 12',
      'SET b 2',
      'SELECT 7',
      'SET c 3',
      'SET d 4',
      'SELECT 0',
    ]);
    expect(envelope.checkpoint.database).toBe(7);
    expect(envelope.transactions).toBe(1);
  });

  it('never ends an envelope inside a transaction, and never stores an offset that lies in one', () => {
    const bench = new Bench();
    bench.push(['SET', 'before', '1'], ['SELECT', '12'], ['MULTI'], ['SET', 'a', '1']);
    const complete = START + lengthOf(['SET', 'before', '1'], ['SELECT', '12']);
    expect(bench.translator.inTransaction).toBe(true);
    const first = bench.builder.take();
    expect(bodyOf(first)).toEqual(['SET before 1']);
    expect(first.checkpoint).toMatchObject({ offset: complete, database: 12 });
    bench.push(['SET', 'b', '2']);
    expect(bench.builder.hasUnits).toBe(false);
    bench.push(['EXEC']);
    const second = bench.builder.take();
    expect(bodyOf(second).filter((line) => !line.startsWith('SELECT'))).toEqual(['SET a 1', 'SET b 2']);
    expect(second.checkpoint.offset).toBe(bench.translator.offset);
  });

  it('applies nothing of a transaction whose EXEC never comes', () => {
    const bench = new Bench();
    bench.push(['MULTI'], ['SET', 'a', '1'], ['SET', 'b', '2']);
    expect(bench.builder.hasUnits).toBe(false);
    expect(bench.body()).toEqual([]);
    expect(bench.builder.offset).toBe(START);
  });

  it('drops what has to be dropped inside a transaction too', () => {
    const bench = new Bench();
    bench.push(['MULTI'], ['SET', `${HEARTBEAT}:x`, '5'], ['PUBLISH', 'c', 'm'], ['EXEC']);
    expect(bench.builder.hasUnits).toBe(false);
    expect(bench.builder.hasHeartbeats).toBe(true);
    expect(bench.builder.offset).toBe(bench.translator.offset);
  });

  describe('FLUSHALL and FLUSHDB', () => {
    it('propagate: forwarded in their database, the checkpoint written again behind them', () => {
      const bench = new Bench();
      bench.push(['SELECT', '4'], ['SET', 'a', '1'], ['flushdb', 'ASYNC'], ['SET', 'b', '2']);
      const body = bench.body();
      expect(body.slice(0, 5)).toEqual(['SELECT 4', 'SET a 1', 'flushdb ASYNC', 'SET b 2', 'SELECT 0']);
      expect(body[5]).toMatch(/^HSET redis-sync:link:a->b .*offset/);
      expect(bench.flushes).toEqual([
        `flushdb db4 ${lengthOf(['SELECT', '4'], ['SET', 'a', '1'], ['flushdb', 'ASYNC'])}`,
      ]);
    });

    it('ignore: dropped and counted', () => {
      const bench = new Bench({ flush: 'ignore' });
      bench.push(['SET', 'a', '1'], ['FLUSHALL'], ['FlushDB'], ['SET', 'b', '2']);
      expect(bench.body()).toEqual(['SET a 1', 'SET b 2']);
      expect(bench.dropped).toEqual(['flushall', 'flushdb']);
    });

    it('fail: stops right before them, with everything in front complete', () => {
      const bench = new Bench({ flush: 'fail' });
      const push = (): void =>
        bench.push(['SET', 'a', '1'], ['SELECT', '4'], ['FLUSHALL'], ['SET', 'b', '2']);
      expect(push).toThrow(
        expect.objectContaining({ code: 'POLICY', message: expect.stringContaining('FLUSHALL') }),
      );
      const envelope = bench.builder.take();
      expect(bodyOf(envelope)).toEqual(['SET a 1']);
      // The next start gets the FLUSHALL itself again, in the database it was given in.
      expect(envelope.checkpoint).toMatchObject({
        offset: START + lengthOf(['SET', 'a', '1'], ['SELECT', '4']),
        database: 4,
      });
    });

    it('fail: a transaction around them is not applied at all', () => {
      const bench = new Bench({ flush: 'fail' });
      const push = (): void =>
        bench.push(['SET', 'a', '1'], ['MULTI'], ['SET', 'b', '2'], ['FLUSHDB'], ['EXEC']);
      expect(push).toThrow(expect.objectContaining({ code: 'POLICY' }));
      const envelope = bench.builder.take();
      expect(bodyOf(envelope)).toEqual(['SET a 1']);
      expect(envelope.checkpoint.offset).toBe(START + lengthOf(['SET', 'a', '1']));
    });
  });

  it('follows the checkpoint through several swaps, and leaves no copy of it behind', () => {
    const bench = new Bench();
    const target = new ServerModel();
    bench.push(
      ['SET', 'a', '1'],
      ['SWAPDB', '0', '3'],
      ['SWAPDB', '3', '12'],
      ['SET', 'b', '2'],
      ['SWAPDB', '5', '6'],
    );
    target.execute(bench.builder.take().bytes);
    expect([0, 3, 5, 6, 12].filter((number) => target.get(number, KEY) !== undefined)).toEqual([0]);
    expect(target.contents('redis-sync:')).toEqual({ '0 b': '2', '12 a': '1' });
  });

  it('refuses what is no command', () => {
    const bench = new Bench();
    expect(() => bench.translator.push(Buffer.from('garbage\r\n'))).toThrow(
      expect.objectContaining({ code: 'PROTOCOL' }),
    );
  });

  const key = fc.constantFrom('a', 'b', 'c');
  const database = fc.constantFrom('0', '3', '12');
  const single: fc.Arbitrary<string[][]> = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.tuple(key, fc.nat(99)).map(([name, value]) => [['APPEND', name, `${value},`]]),
    },
    {
      weight: 2,
      arbitrary: fc.tuple(key, fc.nat(9)).map(([name, value]) => [['set', name, String(value), 'NX']]),
    },
    { weight: 1, arbitrary: key.map((name) => [['DEL', name]]) },
    { weight: 3, arbitrary: database.map((number) => [['SELECT', number]]) },
    { weight: 1, arbitrary: always('PING') },
    { weight: 1, arbitrary: always('PUBLISH', 'c', 'm') },
    { weight: 1, arbitrary: always('SET', `${HEARTBEAT}:x`, '17') },
    { weight: 1, arbitrary: always('FLUSHDB') },
    { weight: 1, arbitrary: always('flushall') },
    { weight: 3, arbitrary: fc.tuple(database, database).map(([one, other]) => [['SWAPDB', one, other]]) },
    { weight: 1, arbitrary: always('HSET', 'redis-sync:link:other', 'offset', '5') },
  );
  const transaction = fc
    .array(single, { maxLength: 4 })
    .map((units) => [['MULTI'], ...units.flat(), ['EXEC']]);
  const stream = fc.array(fc.oneof({ weight: 4, arbitrary: single }, { weight: 1, arbitrary: transaction }), {
    maxLength: 30,
  });

  it('after each envelope the target is what the source was at its checkpoint, however the stream is cut', () => {
    fc.assert(
      fc.property(
        stream,
        fc.array(fc.nat(5000), { maxLength: 10 }),
        fc.nat(300),
        (units, cuts, sizeBytes) => {
          const states = sourceStates(units);
          const wire = encodeCommands(units.flat());
          const bench = new Bench({ sizeBytes });
          const target = new ServerModel();
          const check = (envelope: Envelope): void => {
            target.execute(envelope.bytes);
            expect(target.selected).toBe(0);
            const { offset, replid, path, database: selected } = envelope.checkpoint;
            const state = states.get(offset);
            expect(state?.database).toBe(selected);
            expect(target.contents('redis-sync:')).toEqual(state?.contents);
            expect(target.get(0, KEY)).toBe(`replid ${replid} offset ${offset} db ${selected} path ${path}`);
            for (const number of [3, 12]) expect(target.get(number, KEY)).toBe(undefined);
            envelope.release();
          };
          const ends = [
            ...cuts.map((cut) => (wire.length === 0 ? 0 : cut % wire.length)).toSorted((a, b) => a - b),
            wire.length,
          ];
          ends.forEach((end, index) => {
            bench.translator.push(wire.subarray(index === 0 ? 0 : ends[index - 1], end));
            if (bench.builder.hasUnits) check(bench.builder.take());
          });
          expect(bench.builder.offset).toBe(START + BigInt(wire.length));
          expect(target.contents('redis-sync:')).toEqual(states.get(START + BigInt(wire.length))?.contents);
        },
      ),
      { seed: 5, numRuns: 400 },
    );
  });

  /** The source's data and selected database at the end of each unit, by offset. */
  function sourceStates(
    units: readonly string[][][],
  ): Map<bigint, { contents: Record<string, string>; database: number }> {
    const source = new ServerModel();
    let offset = START;
    const states = new Map([[offset, { contents: {}, database: 0 }]]);
    for (const unit of units) {
      const bytes = encodeCommands(unit);
      const data = unit.filter(
        ([name = '', first = '']) =>
          !['PING', 'PUBLISH'].includes(name) &&
          !first.startsWith(HEARTBEAT) &&
          !first.startsWith('redis-sync:'),
      );
      source.execute(encodeCommands(data.map((words) => words.filter((word) => word !== 'NX'))));
      offset += BigInt(bytes.length);
      states.set(offset, { contents: source.contents('redis-sync:'), database: source.selected });
    }
    return states;
  }
});
