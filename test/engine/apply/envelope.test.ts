import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Checkpoint } from '../../../engine/apply/checkpoint.ts';
import { EnvelopeBuilder } from '../../../engine/apply/envelope.ts';
import { encodeCommand } from '../../../engine/resp/encode.ts';
import { bodyOf, wordsOf } from './stream-model.ts';

const KEY = 'redis-sync:link:a->b';
const START: Checkpoint = {
  replid: 'r'.repeat(40),
  offset: 1000n,
  database: 0,
  path: 'origin',
  alone: false,
};

function makeBuilder(
  start: Partial<Checkpoint> = {},
  options: { sizeBytes?: number; checkpointKey?: string } = {},
): EnvelopeBuilder {
  return new EnvelopeBuilder({
    checkpointKey: KEY,
    sizeBytes: 4096,
    start: { ...START, ...start },
    ...options,
  });
}

function append(builder: EnvelopeBuilder, database: number, ...words: string[]): void {
  const bytes = encodeCommand(words);
  builder.append(bytes, 0, bytes.length, 1, database);
}

/** The checkpoint command at the beginning of an envelope. */
function checkpointOf(bytes: Buffer): string {
  return wordsOf(bytes)[1]?.join(' ') ?? '';
}

describe('EnvelopeBuilder', () => {
  it('puts the checkpoint first, then the body, all of it behind MULTI and without EXEC', () => {
    const builder = makeBuilder({ alone: true });
    append(builder, 0, 'SET', 'a', '1');
    append(builder, 0, 'SET', 'b', '2');
    builder.mark(1054n, 0);
    const envelope = builder.take();
    expect(wordsOf(envelope.bytes).map((words) => words.join(' '))).toEqual([
      'MULTI',
      `HSET ${KEY} replid ${START.replid} offset 1054 db 0 path origin alone 1`,
      'SET a 1',
      'SET b 2',
    ]);
    expect(envelope).toMatchObject({
      queued: 3,
      commands: 2,
      checkpoint: { replid: START.replid, offset: 1054n, database: 0, path: 'origin', alone: true },
    });
  });

  it('selects a database only when it changes, and ends on database 0', () => {
    const builder = makeBuilder();
    append(builder, 0, 'SET', 'a', '1');
    append(builder, 12, 'SET', 'b', '2');
    append(builder, 12, 'SET', 'c', '3');
    append(builder, 3, 'SET', 'd', '4');
    builder.mark(2000n, 3);
    const envelope = builder.take();
    expect(bodyOf(envelope)).toEqual([
      'SET a 1',
      'SELECT 12',
      'SET b 2',
      'SET c 3',
      'SELECT 3',
      'SET d 4',
      'SELECT 0',
    ]);
    expect(envelope.commands).toBe(4);
    expect(envelope.checkpoint.database).toBe(3);
  });

  it('selects the database anew in the next envelope, and resumes in one that is not 0', () => {
    const builder = makeBuilder({ database: 12 });
    append(builder, 12, 'SET', 'a', '1');
    builder.mark(1100n, 12);
    expect(bodyOf(builder.take())).toEqual(['SELECT 12', 'SET a 1', 'SELECT 0']);
    append(builder, 12, 'SET', 'b', '2');
    builder.mark(1200n, 12);
    expect(bodyOf(builder.take())).toEqual(['SELECT 12', 'SET b 2', 'SELECT 0']);
  });

  it('ends at the boundary: what stands behind it goes into the next envelope, under its own database', () => {
    const builder = makeBuilder();
    append(builder, 5, 'SET', 'complete', '1');
    builder.mark(1100n, 5);
    append(builder, 5, 'SET', 'half', '2');
    append(builder, 7, 'SET', 'half', '3');
    const first = builder.take();
    expect(bodyOf(first)).toEqual(['SELECT 5', 'SET complete 1', 'SELECT 0']);
    expect(first).toMatchObject({ commands: 1, checkpoint: { offset: 1100n } });
    expect(builder.hasUnits).toBe(false);
    append(builder, 7, 'SET', 'more', '4');
    builder.mark(1300n, 7);
    const second = builder.take();
    expect(bodyOf(second)).toEqual([
      'SELECT 5',
      'SET half 2',
      'SELECT 7',
      'SET half 3',
      'SET more 4',
      'SELECT 0',
    ]);
    expect(second).toMatchObject({ commands: 3, checkpoint: { offset: 1300n, database: 7 } });
  });

  it('moves a tail in database 0 behind a body that ended in another one', () => {
    const builder = makeBuilder();
    append(builder, 5, 'SET', 'a', '1');
    builder.mark(1100n, 5);
    append(builder, 0, 'SET', 'b', '2');
    expect(bodyOf(builder.take())).toEqual(['SELECT 5', 'SET a 1', 'SELECT 0']);
    append(builder, 0, 'SET', 'c', '3');
    builder.mark(1200n, 0);
    expect(bodyOf(builder.take()).slice(-3)).toEqual(['SELECT 0', 'SET b 2', 'SET c 3']);
  });

  it('never hands out what is not complete', () => {
    const builder = makeBuilder();
    append(builder, 0, 'SET', 'half', '1');
    expect(builder.hasUnits).toBe(false);
    expect(builder.offset).toBe(1000n);
    const envelope = builder.take();
    expect(bodyOf(envelope)).toEqual([]);
    expect(envelope.checkpoint.offset).toBe(1000n);
  });

  it('says which heartbeats and transactions are complete', () => {
    const builder = makeBuilder();
    builder.addHeartbeat(111);
    builder.mark(1100n, 0);
    expect([builder.hasUnits, builder.hasHeartbeats]).toEqual([false, true]);
    builder.addHeartbeat(222);
    builder.addTransaction();
    const first = builder.take();
    expect([first.heartbeats, first.transactions]).toEqual([[111], 0]);
    expect(builder.hasHeartbeats).toBe(false);
    builder.mark(1200n, 0);
    const second = builder.take();
    expect([second.heartbeats, second.transactions]).toEqual([[222], 1]);
  });

  it('writes the checkpoint again at the end when a command in the body may have removed it', () => {
    const builder = makeBuilder();
    append(builder, 0, 'FLUSHALL');
    builder.repeatCheckpoint([]);
    append(builder, 4, 'SET', 'a', '1');
    builder.mark(1100n, 4);
    const envelope = builder.take();
    const body = bodyOf(envelope);
    expect(body).toEqual(['FLUSHALL', 'SELECT 4', 'SET a 1', 'SELECT 0', checkpointOf(envelope.bytes)]);
    expect(checkpointOf(envelope.bytes)).toContain('offset 1100');
    append(builder, 0, 'SET', 'b', '2');
    builder.mark(1200n, 0);
    expect(bodyOf(builder.take())).toEqual(['SET b 2']);
  });

  it('repeats the checkpoint in the envelope that holds the removing command, also when it was only a tail before', () => {
    const builder = makeBuilder();
    append(builder, 0, 'SET', 'a', '1');
    builder.mark(1100n, 0);
    append(builder, 0, 'FLUSHDB');
    builder.repeatCheckpoint([]);
    builder.take();
    builder.mark(1200n, 0);
    const second = builder.take();
    expect(bodyOf(second)).toEqual(['FLUSHDB', checkpointOf(second.bytes)]);
    expect(checkpointOf(second.bytes)).toContain('offset 1200');
  });

  it('removes copies of the checkpoint that a swap put elsewhere before writing it again', () => {
    const builder = makeBuilder();
    append(builder, 0, 'SWAPDB', '0', '3');
    builder.repeatCheckpoint([
      encodeCommand(['SELECT', 3]),
      encodeCommand(['DEL', KEY]),
      encodeCommand(['SELECT', 0]),
    ]);
    builder.mark(1100n, 0);
    const envelope = builder.take();
    expect(bodyOf(envelope)).toEqual([
      'SWAPDB 0 3',
      'SELECT 3',
      `DEL ${KEY}`,
      'SELECT 0',
      checkpointOf(envelope.bytes),
    ]);
  });

  it('takes commands larger than itself, and a checkpoint key larger than its head', () => {
    const value = 'v'.repeat(100_000);
    const checkpointKey = `redis-sync:link:${'x'.repeat(3000)}`;
    const builder = makeBuilder({}, { sizeBytes: 100, checkpointKey });
    append(builder, 0, 'SET', 'a', value);
    append(builder, 9, 'SET', 'b', value);
    builder.mark(1100n, 9);
    append(builder, 9, 'SET', 'c', value);
    const first = builder.take();
    expect(bodyOf(first)).toEqual([`SET a ${value}`, 'SELECT 9', `SET b ${value}`, 'SELECT 0']);
    builder.mark(1200n, 9);
    expect(bodyOf(builder.take())).toEqual(['SELECT 9', `SET c ${value}`, 'SELECT 0']);
    expect(wordsOf(first.bytes)[1]?.[1]).toBe(checkpointKey);
  });

  it('appends a run of commands at once, counting each', () => {
    const builder = makeBuilder();
    const run = Buffer.concat([
      encodeCommand(['INCR', 'a']),
      encodeCommand(['INCR', 'b']),
      encodeCommand(['INCR', 'c']),
    ]);
    builder.append(run, encodeCommand(['INCR', 'a']).length, run.length, 2, 0);
    builder.mark(1100n, 0);
    const envelope = builder.take();
    expect(bodyOf(envelope)).toEqual(['INCR b', 'INCR c']);
    expect(envelope.commands).toBe(2);
  });

  it('leaves an envelope as it is until it is released, whatever is appended meanwhile', () => {
    const builder = makeBuilder();
    append(builder, 0, 'SET', 'first', '1');
    builder.mark(1100n, 0);
    const first = builder.take();
    const before = Buffer.from(first.bytes);
    append(builder, 0, 'SET', 'second', '2');
    builder.mark(1200n, 0);
    const second = builder.take();
    append(builder, 0, 'SET', 'third', '3');
    expect(first.bytes.equals(before)).toBe(true);
    first.release();
    // A second release must not hand the same buffer out twice.
    first.release();
    builder.mark(1300n, 0);
    const third = builder.take();
    append(builder, 0, 'SET', 'fourth', '4');
    builder.mark(1400n, 0);
    const fourth = builder.take();
    expect([second, third, fourth].map(bodyOf)).toEqual([
      ['SET second 2'],
      ['SET third 3'],
      ['SET fourth 4'],
    ]);
  });

  it('names a new history from the next envelope on', () => {
    const builder = makeBuilder();
    builder.adoptReplid('n'.repeat(40));
    append(builder, 0, 'SET', 'a', '1');
    builder.mark(1100n, 0);
    expect(builder.take().checkpoint).toMatchObject({ replid: 'n'.repeat(40), path: 'origin' });
  });

  it('marks where each command comes from, wherever envelopes end', () => {
    const step = fc.record({
      path: fc.constantFrom('origin', 'a,b', 'c'),
      database: fc.constantFrom(0, 0, 3),
      mark: fc.boolean(),
      take: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const builder = makeBuilder();
        const sent: Buffer[] = [];
        const expected: string[] = [];
        steps.forEach(({ path, database, mark, take }, index) => {
          builder.setPath(path);
          append(builder, database, 'SET', `k${index}`, 'v');
          expected.push(`${database} ${path} k${index}`);
          if (mark) builder.mark(START.offset + BigInt(index), 0);
          if (take) sent.push(builder.take().bytes);
        });
        builder.mark(2000n, 0);
        sent.push(builder.take().bytes);
        expect(sent.flatMap((bytes) => placesOf(bytes))).toEqual(expected);
      }),
    );
  });
});

/** `database path key` of each SET, as a reader of the target's stream understands it. */
function placesOf(bytes: Buffer): string[] {
  let [database, path] = ['0', ''];
  return wordsOf(bytes).flatMap(([name, key = '', ...rest]) => {
    if (name === 'SELECT') database = key;
    // In another database it marks nothing.
    if (name === 'HSET' && database === '0') path = rest[rest.indexOf('path') + 1] ?? '';
    return name === 'SET' ? [`${database} ${path} ${key}`] : [];
  });
}
