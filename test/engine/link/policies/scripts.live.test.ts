/** Scripts that an old source sends as text: what a real target makes of them, under each policy. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { OldSource } from '../../../support/old-source.ts';
import { ask, Rehearsal, until, type Life } from '../rehearsal.ts';

const INCR = "redis.call('incr', KEYS[1]) redis.call('incr', 'undeclared') return 1";
const SET = "return redis.call('set', KEYS[1], ARGV[1])";
/** Writes, then fails: its first effect stays, at the source as on the target. */
const HALF = "redis.call('set', KEYS[1], 'x') return redis.call('lpush', KEYS[1], 'y')";

const sha = (body: string): string => createHash('sha1').update(body).digest('hex');

async function applied(life: Life, offset: bigint): Promise<void> {
  await until(
    () => `offset ${offset}: ${life.describe()}`,
    () => {
      if (life.failure) throw new Error(`the link failed: ${life.failure.error.message}`);
      return BigInt(life.status.appliedOffset) >= offset;
    },
  );
}

describe('apply', () => {
  it('runs EVAL and EVALSHA on the target in their order and transactions, and names script and keys', async () => {
    await using rehearsal = await Rehearsal.open();
    await using source = await OldSource.start();
    const life = rehearsal.start({}, { source: source.endpoint });
    const offset = await source.write(
      0,
      ['SELECT', 0],
      ['EVAL', INCR, 1, 'n'],
      ['EVALSHA', sha(INCR), 1, 'n'],
      ['SELECT', 12],
      ['MULTI'],
      ['EVALSHA', sha(INCR), 1, 'm'],
      ['SET', 'plain', '1'],
      ['EXEC'],
    );
    await applied(life, offset);
    const { target } = rehearsal;
    expect(await ask(target, 'MGET', 'n', 'undeclared')).toBe('2 2');
    await target.call('SELECT', 12);
    expect(await ask(target, 'MGET', 'm', 'undeclared', 'plain')).toBe('1 1 1');
    expect(life.status.stream.transactions).toBe(1);
    expect(life.status.handled).toEqual({ 'rewritten evalsha': 2 });
    await life.stop();
    expect(life.findings('SCRIPT_UNVERIFIED').at(-1)).toMatchObject({
      severity: 'warning',
      message: expect.stringContaining(sha(INCR)),
      evidence: {
        sha: sha(INCR),
        count: 3,
        samples: [
          { key: '"n"', database: 0 },
          { key: '"m"', database: 12 },
        ],
        complete: false,
      },
    });
  });

  it('survives an emptied script cache: the body that came before goes along again', async () => {
    await using rehearsal = await Rehearsal.open();
    await using source = await OldSource.start();
    const life = rehearsal.start({}, { source: source.endpoint });
    await applied(life, await source.write(0, ['SELECT', 0], ['EVAL', INCR, 1, 'n']));
    await rehearsal.target.call('SCRIPT', 'FLUSH');
    await applied(life, await source.write(0, ['EVALSHA', sha(INCR), 1, 'n']));
    expect(await ask(rehearsal.target, 'GET', 'n')).toBe('2');
    expect(life.status.errors).toEqual({});
  });

  it('loads the scripts that the snapshot carries, for the target and for itself', async () => {
    await using rehearsal = await Rehearsal.open();
    await using source = await OldSource.start([SET, INCR]);
    const life = rehearsal.start({}, { source: source.endpoint });
    await life.reaches('Synchronizing');
    expect(await rehearsal.target.call('SCRIPT', 'EXISTS', sha(SET), sha(INCR))).toEqual([1, 1]);
    expect(life.status.handled).toEqual({ 'scripts loaded': 2 });
    await rehearsal.target.call('SCRIPT', 'FLUSH');
    await applied(life, await source.write(0, ['SELECT', 0], ['EVALSHA', sha(SET), 1, 'k', 'v']));
    expect(await ask(rehearsal.target, 'GET', 'k')).toBe('v');
  });

  it('passes SCRIPT LOAD and SCRIPT FLUSH on', async () => {
    await using rehearsal = await Rehearsal.open();
    await using source = await OldSource.start();
    const life = rehearsal.start({}, { source: source.endpoint });
    await applied(life, await source.write(0, ['SCRIPT', 'LOAD', SET]));
    expect(await rehearsal.target.call('SCRIPT', 'EXISTS', sha(SET))).toEqual([1]);
    await applied(life, await source.write(0, ['SCRIPT', 'FLUSH']));
    expect(await rehearsal.target.call('SCRIPT', 'EXISTS', sha(SET))).toEqual([0]);
  });

  it('a script that fails keeps its first effect, and its answer is in the report', async () => {
    await using rehearsal = await Rehearsal.open();
    await using source = await OldSource.start();
    const life = rehearsal.start({}, { source: source.endpoint });
    await applied(life, await source.write(0, ['SELECT', 0], ['EVAL', HALF, 1, 'k'], ['SET', 'behind', '1']));
    expect(await ask(rehearsal.target, 'MGET', 'k', 'behind')).toBe('x 1');
    expect(life.status).toMatchObject({ errors: {}, handled: { 'script errors': 1 } });
    const answers = life.findings('SCRIPT_UNVERIFIED').map(({ evidence }) => evidence['samples']);
    expect(answers).toContainEqual([{ reply: expect.stringContaining('WRONGTYPE') }]);
  });

  it('stops before a script that nobody knows, applies nothing of its transaction, and goes on once it is loaded', async () => {
    await using rehearsal = await Rehearsal.open();
    await using source = await OldSource.start();
    const { target } = rehearsal;
    const life = rehearsal.start({}, { source: source.endpoint });
    await applied(life, await source.write(0, ['SELECT', 0], ['SET', 'k', 'before']));
    const offset = await source.write(
      0,
      ['MULTI'],
      ['SET', 'in', '1'],
      ['EVALSHA', sha(SET), 1, 'k', 'after'],
      ['EXEC'],
      ['EVALSHA', sha(INCR), 0],
    );
    const { error } = await life.fails();
    expect(error).toMatchObject({
      code: 'POLICY',
      message: expect.stringContaining(sha(SET)),
      hint: expect.stringContaining('SCRIPT LOAD'),
    });
    expect(await target.call('EXISTS', 'in')).toBe(0);
    expect(life.findings('SCRIPT_UNVERIFIED').filter(({ severity }) => severity === 'error')).toMatchObject([
      { evidence: { sha: sha(SET), reply: 'NOSCRIPT' } },
      { evidence: { sha: sha(INCR), reply: 'NOSCRIPT' } },
    ]);

    await target.call('SCRIPT', 'LOAD', SET);
    await target.call('SCRIPT', 'LOAD', "redis.call('incr', 'n')");
    await target.call('SCRIPT', 'LOAD', INCR);
    const next = rehearsal.start({}, { source: source.endpoint });
    await applied(next, offset);
    expect(next.syncs).toEqual(['partial']);
    expect(await ask(target, 'MGET', 'in', 'k')).toBe('1 after');
  });
});

describe('fail', () => {
  it('the link stops before the first script, with everything in front applied', async () => {
    await using rehearsal = await Rehearsal.open();
    await using source = await OldSource.start();
    const life = rehearsal.start({ scripts: 'fail' }, { source: source.endpoint });
    await source.write(0, ['SELECT', 0], ['SET', 'a', '1'], ['EVAL', SET, 1, 'k', 'v'], ['SET', 'b', '1']);
    const { error } = await life.fails();
    expect(error).toMatchObject({ code: 'POLICY', message: expect.stringContaining(sha(SET)) });
    expect(await rehearsal.target.call('EXISTS', 'a', 'k', 'b')).toBe(1);
    expect(life.findings('SCRIPT_UNVERIFIED')).toMatchObject([{ evidence: { sha: sha(SET), count: 1 } }]);
  });
});
