/** The replicator process is killed at random instants and started again: nothing is lost and nothing applied twice. */
import { describe, expect, it } from 'vitest';
import type { Connection } from '../../../engine/connect/connection.ts';
import { Random } from '../../../scenarios/data/random.ts';
import { ask, Rehearsal, until } from './rehearsal.ts';
import { optionsFor, Process } from './replicator-life.ts';

async function writeUntil(source: Connection, signal: AbortSignal): Promise<number> {
  let round = 0;
  for (; !signal.aborted; round++) {
    await source.pipeline([
      ['INCR', 'counter'],
      ['RPUSH', 'list', round],
      ['SELECT', 12],
      ['APPEND', 'string', `${round},`],
      ['MULTI'],
      ['XADD', 'stream', '*', 'n', round],
      ['SELECT', 0],
      ['HINCRBY', 'hash', 'field', 1],
      ['EXEC'],
    ]);
    if (round % 20 === 0) await new Promise((resolveTurn) => setImmediate(resolveTurn));
  }
  return round;
}

describe('a replicator process that is killed', () => {
  it('applies everything exactly once, over full sync and stream', async () => {
    await using rehearsal = await Rehearsal.open({ source: { 'repl-backlog-size': '64mb' } });
    const { source, target } = rehearsal;
    const random = new Random(7, 'crash');
    await source.pipeline(
      Array.from({ length: 3000 }, (_, index) => ['RPUSH', `old:${index}`, index, random.bytes(200)]),
    );
    const controller = new AbortController();
    const writing = writeUntil(source, controller.signal);
    const syncs: string[] = [];
    for (let life = 0; life < 4; life++) {
      await using engine = new Process(optionsFor(rehearsal));
      // The first two in their full sync, or right behind it; the others anywhere in the stream.
      const wanted = life < 2 ? 'sync-started' : 'sync-finished';
      await until(`life ${life}: ${wanted}`, () => engine.says(wanted) > 0 || engine.says('link-failed') > 0);
      await new Promise((resolveLater) => setTimeout(resolveLater, random.between(0, life < 2 ? 40 : 200)));
      await engine.kill();
      expect(engine.says('link-failed')).toBe(0);
      syncs.push(...engine.syncs);
    }
    controller.abort();
    const rounds = await writing;
    await using last = new Process(optionsFor(rehearsal));
    const offset = await rehearsal.sourceOffset();
    await until('everything applied', () => BigInt(last.status?.appliedOffset ?? '-1') >= offset);
    expect(await ask(target, 'GET', 'counter')).toBe(String(rounds));
    expect(await ask(target, 'LLEN', 'list')).toBe(String(rounds));
    expect(await rehearsal.differences()).toEqual([]);
    // Once a full sync had come to its end, no other one was needed.
    expect([...syncs, ...last.syncs].join(' ')).toMatch(/^(full )+(partial ?)+$/);
  });
});
