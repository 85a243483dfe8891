/** The translator of streams with a target that may be older than the source. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EnvelopeBuilder } from '../../../../engine/apply/envelope.ts';
import { Losses } from '../../../../engine/apply/rebuild/losses.ts';
import { StreamTranslator } from '../../../../engine/apply/stream-translator.ts';
import type { TargetFacts } from '../../../../engine/apply/target-facts.ts';
import { CommandTranslator } from '../../../../engine/apply/translate/command-translator.ts';
import { SourceClock } from '../../../../engine/apply/translate/source-clock.ts';
import type { UnsupportedPolicy } from '../../../../engine/link/options.ts';
import { dumpPayloadLength, writeDumpPayload } from '../../../../engine/rdb/dump-payload.ts';
import type { RawEntry } from '../../../../engine/rdb/entry.ts';
import { encodeCommands, type Argument } from '../../../../engine/resp/encode.ts';
import { entriesOf, readWhole } from '../../rdb/read-snapshot.ts';
import { bodyOf } from '../stream-model.ts';
import { factsOf } from './translating.ts';

const START = 500n;

class Bench {
  readonly builder: EnvelopeBuilder;
  readonly translator: StreamTranslator;
  readonly told: string[] = [];

  constructor(facts: TargetFacts, policy: UnsupportedPolicy = 'fail') {
    const start = { replid: 'r'.repeat(40), offset: START, database: 0, path: 'p', alone: false };
    const losses = new Losses({
      onFinding: () => undefined,
      onCount: (kind) => this.told.push(`lost ${kind}`),
    });
    const clock = new SourceClock(1000, () => 250);
    this.builder = new EnvelopeBuilder({ checkpointKey: 'redis-sync:link:x', sizeBytes: 4096, start });
    this.translator = new StreamTranslator({
      builder: this.builder,
      start,
      heartbeatPrefix: 'heartbeat',
      checkpointKey: 'redis-sync:link:x',
      flush: 'propagate',
      onAckRequested: () => undefined,
      onDropped: (reason) => this.told.push(`dropped ${reason}`),
      onFlush: () => undefined,
      translation: {
        commands: new CommandTranslator({ facts, losses, sourceTimeMs: () => clock.executedAtMs(0) }),
        clock,
        policy,
        onUnsupported: (name, key, needs) =>
          this.told.push(`unsupported ${name} ${key.toString()}: ${needs}`),
        onLoss: (kind, key) => this.told.push(`lost ${kind} ${key.toString()}`),
      },
    });
  }

  push(commands: Argument[][], atMs?: number): void {
    this.translator.push(encodeCommands(commands), atMs);
  }

  body(): string[] {
    return bodyOf(this.builder.take());
  }
}

describe('a command that the target cannot do', () => {
  const facts = factsOf('redis 7.0', { commands: new Set(['SET', 'APPEND', 'DEL']) });
  const commands = [
    ['APPEND', 'a', '1'],
    ['VADD', 'v', 'VALUES'],
    ['APPEND', 'b', '2'],
  ];

  it('stops the link right before it, and is named', () => {
    const bench = new Bench(facts);
    const before = BigInt(encodeCommands([['APPEND', 'a', '1']]).length);
    expect(() => bench.push(commands)).toThrow(
      expect.objectContaining({ code: 'POLICY', message: expect.stringContaining('VADD') }),
    );
    const envelope = bench.builder.take();
    expect(bodyOf(envelope)).toEqual(['APPEND a 1']);
    expect(envelope.checkpoint.offset).toBe(START + before);
    expect(bench.told).toEqual(['unsupported VADD v: the target (redis 7.0) does not know it']);
  });

  it('is left out and counted when the policy says so', () => {
    const bench = new Bench(facts, 'skip');
    bench.push(commands);
    expect(bench.body()).toEqual(['APPEND a 1', 'APPEND b 2']);
    expect(bench.told).toEqual([
      'unsupported VADD v: the target (redis 7.0) does not know it',
      'dropped unsupported',
    ]);
  });
});

describe('what stands in a stream', () => {
  it('durations count from when they were executed, by the clock of the source', () => {
    const bench = new Bench(factsOf('redis 7.0'));
    bench.push([['EXPIRE', 'k', 10]], 1_000_000);
    bench.push([['SETEX', 'heartbeat:x', 3, 2_000_000]], 2_060_000);
    bench.push([['SET', 'k', 'v', 'PX', 10]], 2_060_500);
    expect(bench.body()).toEqual([
      `PEXPIREAT k ${1_000_000 + 10_250}`,
      `SET k v PXAT ${2_060_500 - 60_000 + 1000 + 260}`,
    ]);
  });

  it('a value that another link builds up is carried with its RENAME, other keys of the engine are not', () => {
    const bench = new Bench(factsOf('redis 7.0'));
    bench.push([
      ['RPUSH', 'redis-sync:tmp:a->b', 'x'],
      ['HSET', 'redis-sync:link:a->b', 'offset', '1'],
      ['RENAME', 'redis-sync:tmp:a->b', 'list'],
    ]);
    expect(bench.body()).toEqual(['RPUSH redis-sync:tmp:a->b x', 'RENAME redis-sync:tmp:a->b list']);
    expect(bench.told).toEqual(['dropped checkpoint']);
  });

  it('a loss is counted and the rest of the command applied', () => {
    const bench = new Bench(factsOf('redis 7.0'));
    bench.push([
      ['HSETEX', 'h', 'PXAT', 5, 'FIELDS', 1, 'f', 'v'],
      ['HPEXPIREAT', 'h', 5, 'FIELDS', 1, 'f'],
    ]);
    expect(bench.body()).toEqual(['HSET h f v']);
    expect(bench.told).toEqual(['lost field-ttl h', 'dropped not on the target', 'lost field-ttl h']);
  });
});

describe('RESTORE in a stream', () => {
  const snapshot = readFileSync(join(import.meta.dirname, '../../rdb/fixtures/redis-8.0.2.rdb'));
  const entries = entriesOf(readWhole(snapshot));
  const old = factsOf('redis 7.0', { payloadVersions: new Set([9, 10]), modules: new Set() });

  function payloadOf(key: string): { entry: RawEntry; payload: Buffer } {
    const entry = entries.find((each) => each.key.toString() === key);
    if (entry === undefined) throw new Error(`no ${key}`);
    const payload = Buffer.alloc(dumpPayloadLength(entry.value.length));
    writeDumpPayload(entry.type, entry.value, 12, payload, 0);
    return { entry, payload };
  }

  it('goes as it is where the target takes the version', () => {
    const bench = new Bench(factsOf('redis 8.0', { payloadVersions: new Set([11, 12]) }));
    const { payload } = payloadOf('set:small');
    bench.push([['RESTORE', 'k', 0, payload, 'REPLACE']]);
    expect(bench.body()).toEqual([`RESTORE k 0 ${payload.toString('latin1')} REPLACE`]);
  });

  it('gets an older version where the layout is as old', () => {
    const bench = new Bench(old);
    const { entry, payload } = payloadOf('hash:small');
    const stamped = Buffer.alloc(payload.length);
    writeDumpPayload(entry.type, entry.value, 10, stamped, 0);
    bench.push([['RESTORE-ASKING', 'k', 77, payload, 'ABSTTL', 'FREQ', 3]]);
    expect(bench.body()).toEqual([`RESTORE k 77 ${stamped.toString('latin1')} REPLACE ABSTTL FREQ 3`]);
  });

  it('becomes commands where the target does not know the layout', () => {
    const bench = new Bench(old);
    bench.push([['RESTORE', 'k', 5000, payloadOf('set:small').payload]], 1_000_000);
    const [first, add, ...rest] = bench.body();
    expect(first).toBe('DEL k');
    expect(add?.split(' ').toSorted()).toEqual(['3', 'SADD', 'a', 'b', 'k']);
    expect(rest).toEqual([`PEXPIREAT k ${1_000_000 + 5000 + 250}`]);
  });

  it('removes the key where nothing on the target can hold the value, and says so', () => {
    const bench = new Bench(old);
    bench.push([['RESTORE', 'k', 0, payloadOf('module:vector set').payload, 'REPLACE']]);
    expect(bench.body()).toEqual(['DEL k']);
    expect(bench.told).toEqual(['lost module']);
  });

  it('with a duration gets a time', () => {
    const bench = new Bench(factsOf('redis 8.0', { payloadVersions: new Set([12]) }));
    const { payload } = payloadOf('string:short');
    bench.push([['RESTORE', 'k', 5000, payload]], 1_000_000);
    expect(bench.body()).toEqual([`RESTORE k 1005250 ${payload.toString('latin1')} REPLACE ABSTTL`]);
  });

  it('that is damaged is left to the target to refuse', () => {
    const bench = new Bench(old);
    bench.push([['RESTORE', 'k', 0, 'nonsense that is long enough']]);
    expect(bench.body()).toEqual(['RESTORE k 0 nonsense that is long enough REPLACE']);
  });
});
