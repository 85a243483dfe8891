/** Replicas of a target: when the source is told that a write is there, and what a failover loses. */
import { describe, expect, it } from 'vitest';
import { textOf } from '../../../../engine/resp/reply-text.ts';
import type { EngineOptions } from '../../../../engine/link/options.ts';
import { caughtUp, command, infoOf, promote, startReplica } from '../../../support/replication.ts';
import type { TestServer } from '../../../support/server.ts';
import { ask, Rehearsal, until, type Life } from '../rehearsal.ts';

const ONE: Partial<EngineOptions> = { durability: { replicas: 1, timeoutMs: 300 } };

async function inSync(rehearsal: Rehearsal, engine: Partial<EngineOptions>): Promise<Life> {
  await rehearsal.source.call('SET', 'k', 'v');
  const life = rehearsal.start(engine);
  await life.reaches('Synchronizing');
  return life;
}

/** The offset that the link has acknowledged to the source. */
async function acknowledged({ servers }: Rehearsal): Promise<bigint> {
  const { slave0 = '' } = await infoOf(servers.source.endpoint, 'replication');
  return BigInt(/offset=(\d+)/.exec(slave0)?.[1] ?? -1);
}

/** The replica follows nobody any more; what the target writes from now on it does not have. */
async function detach(replica: TestServer): Promise<void> {
  await command(replica.endpoint, 'REPLICAOF', '127.0.0.1', 1);
}

describe('replicas: 1', () => {
  it('acknowledges to the source what a replica of the target has, and answers its WAIT then', async () => {
    await using rehearsal = await Rehearsal.open();
    const { source, servers } = rehearsal;
    await using replica = await startReplica(servers.target.endpoint);
    // Nobody is late before ten seconds, however busy the machine.
    const life = await inSync(rehearsal, { durability: { replicas: 1, timeoutMs: 10_000 } });
    for (let value = 1; value <= 20; value++) {
      await source.call('SET', 'k', value);
      expect(await source.call('WAIT', 1, 10_000)).toBe(1);
      // Not only on the target: on the replica that could take its place.
      expect(textOf(await command(replica.endpoint, 'GET', 'k'))).toBe(String(value));
    }
    const { appliedOffset, durableOffset } = life.status;
    expect(BigInt(durableOffset ?? -1)).toBeLessThanOrEqual(BigInt(appliedOffset));
    await rehearsal.drained(life);
    await life.stop();
    // The end waits for it too.
    expect(life.status.durableOffset).toBe(life.status.appliedOffset);
    expect(life.findings('LAG')).toEqual([]);
  });

  it('applies on without waiting, but acknowledges nothing that no replica has, and says so once', async () => {
    await using rehearsal = await Rehearsal.open();
    const { source, servers, target } = rehearsal;
    await using replica = await startReplica(servers.target.endpoint);
    const life = await inSync(rehearsal, ONE);
    await rehearsal.drained(life);
    await until('everything durable', () => life.status.durableOffset === life.status.appliedOffset);
    const durable = BigInt(life.status.durableOffset ?? -1);
    // A busy machine may have been late before.
    const before = life.findings('LAG').length;
    await detach(replica);
    for (let round = 0; round < 5; round++) {
      await source.call('INCR', 'n');
      await rehearsal.drained(life);
    }
    expect(await ask(target, 'GET', 'n')).toBe('5');
    await until('a warning', () => life.findings('LAG').length > before);
    await until('an acknowledgement', async () => (await acknowledged(rehearsal)) >= durable);
    expect(await acknowledged(rehearsal)).toBe(durable);
    expect(life.status.durableOffset).toBe(String(durable));
    expect(await source.call('WAIT', 1, 100)).toBe(0);
    expect(life.findings('LAG').slice(before)).toMatchObject([
      { severity: 'warning', evidence: { wanted: 1, confirmed: 0, durableOffset: String(durable) } },
    ]);
    // It comes back: everything is made up for, and acknowledged.
    await command(replica.endpoint, 'REPLICAOF', '127.0.0.1', servers.target.port);
    const offset = await rehearsal.sourceOffset();
    await until('everything durable again', () => BigInt(life.status.durableOffset ?? -1) >= offset);
    await until('the acknowledgement', async () => (await acknowledged(rehearsal)) >= offset);
    expect(life.status.state).toBe('Synchronizing');
  });

  it('does not take whoever only listens for a replica', async () => {
    await using rehearsal = await Rehearsal.open();
    const { servers } = rehearsal;
    const life = await inSync(rehearsal, { ...ONE, foreignWrites: 'report', watchMs: 100 });
    await until(
      'the listener',
      async () => (await infoOf(servers.target.endpoint, 'replication'))['connected_slaves'] === '1',
    );
    await rehearsal.source.call('INCR', 'n');
    await rehearsal.drained(life);
    await until('a warning', () => life.findings('LAG').length > 0);
    expect(life.status.durableOffset).toBe('-1');
  });

  it('a failover to a replica that was behind: the first lost position, and that nothing confirmed was lost', async () => {
    await using rehearsal = await Rehearsal.open({ source: { 'repl-backlog-size': '16mb' } });
    const { source, servers } = rehearsal;
    await using replica = await startReplica(servers.target.endpoint);
    const target = { kind: 'list' as const, endpoints: [servers.target.endpoint, replica.endpoint] };
    await source.call('SET', 'k', 'v');
    const life = rehearsal.start(ONE, { target });
    await life.reaches('Synchronizing');
    await source.call('INCR', 'durable');
    await rehearsal.drained(life);
    await until('everything durable', () => life.status.durableOffset === life.status.appliedOffset);
    const durable = BigInt(life.status.durableOffset ?? -1);
    await detach(replica);
    await source.call('INCR', 'lost');
    await rehearsal.drained(life);
    const confirmed = life.status.appliedOffset;
    await servers.target.stop();
    await promote(replica.endpoint);
    await source.call('INCR', 'after');
    const { error } = await life.fails();
    expect(error.message).toContain('lost writes it had acknowledged');
    const [finding] = life.findings('NOT_DURABLE');
    expect(finding).toMatchObject({
      severity: 'error',
      message: expect.stringContaining('Nothing was lost that replicas had confirmed'),
      evidence: { firstLost: String(durable + 1n), durable: String(durable) },
    });
    expect(BigInt(String(finding?.evidence['confirmed']))).toBeLessThanOrEqual(BigInt(confirmed));
    // Started again it goes on from what is there.
    const next = rehearsal.start({ ...ONE, durability: 'none' }, { target });
    await next.reaches('Synchronizing');
    await rehearsal.drained(next);
    for (const key of ['durable', 'lost', 'after'])
      expect(textOf(await command(replica.endpoint, 'GET', key))).toBe('1');
  });
});

describe('none, as the vendors do', () => {
  it('acknowledges what the target has; a failover to a replica that was behind loses it, and the report says from where', async () => {
    await using rehearsal = await Rehearsal.open({ source: { 'repl-backlog-size': '16mb' } });
    const { source, servers } = rehearsal;
    await using replica = await startReplica(servers.target.endpoint);
    const target = { kind: 'list' as const, endpoints: [servers.target.endpoint, replica.endpoint] };
    await source.call('SET', 'k', 'v');
    const life = rehearsal.start({}, { target });
    await life.reaches('Synchronizing');
    await source.call('INCR', 'kept');
    await rehearsal.drained(life);
    await caughtUp(servers.target.endpoint, replica.endpoint);
    const kept = BigInt(life.status.appliedOffset);
    await detach(replica);
    await source.call('INCR', 'lost');
    await rehearsal.drained(life);
    expect(await source.call('WAIT', 1, 10_000)).toBe(1);
    expect(life.status.durableOffset).toBeUndefined();
    await servers.target.stop();
    await promote(replica.endpoint);
    await source.call('INCR', 'after');
    await life.fails();
    expect(life.findings('NOT_DURABLE')).toMatchObject([{ evidence: { firstLost: String(kept + 1n) } }]);
    expect(life.findings('NOT_DURABLE')[0]?.evidence).not.toHaveProperty('durable');
  });
});
