/** Workloads on real servers: valid commands, a rate that does not wait, every outcome counted, nothing left behind. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Connection } from '../../../engine/connect/connection.ts';
import { textOf } from '../../../engine/resp/reply-text.ts';
import { FAMILY_NAMES } from '../../../scenarios/workload/families.ts';
import { Ledger } from '../../../scenarios/workload/ledger.ts';
import { verifyLedger } from '../../../scenarios/workload/ledger-check.ts';
import { DEFAULT_MIX } from '../../../scenarios/workload/mix.ts';
import type { Workload } from '../../../scenarios/workload/open-loop.ts';
import { startWorkload, type WorkloadOptions } from '../../../scenarios/workload/workload-start.ts';
import type { WorkloadPlan } from '../../../scenarios/workload/workload.ts';
import { startServer, type TestServer } from '../../support/server.ts';
import { replyText } from '../reply-text.ts';
import { until } from '../../support/until.ts';

const PLAN: WorkloadPlan = {
  name: 'writers',
  into: [],
  databases: [0, 11],
  ratePerSecond: 10_000,
  clients: 4,
  start: 'full-sync',
  mix: DEFAULT_MIX,
  keyspace: 60,
  prefix: 'app:',
};

let server: TestServer;
let admin: Connection;

beforeAll(async () => {
  server = await startServer();
  admin = await Connection.open(server.endpoint);
});
afterAll(async () => {
  await admin.close();
  await server.stop();
});
beforeEach(async () => {
  await admin.call('FLUSHALL');
});

function start(
  plan: Partial<WorkloadPlan> = {},
  options: Partial<WorkloadOptions> = {},
  target = server,
): Promise<Workload> {
  return startWorkload([target.endpoint], { ...PLAN, ...plan }, { seed: 1, ...options });
}

const answered = (workload: Workload, count: number): Promise<true> =>
  until(() => workload.stats().ok >= count);

describe('families', () => {
  test.each(FAMILY_NAMES)('%s issues only valid commands, and every operation succeeds', async (family) => {
    await using workload = await start({ mix: { [family]: 1 } });
    await answered(workload, 1500);
    const result = await workload.stop();
    expect(result).toMatchObject({ failed: 0, unknown: 0, errors: {}, unsupported: [], neverSucceeded: [] });
  });

  test('all of them together do too, with one key per client and family', async () => {
    await using workload = await start({ keyspace: 1 });
    await answered(workload, 4000);
    expect(await workload.stop()).toMatchObject({ failed: 0, errors: {}, neverSucceeded: [] });
  });

  test('both databases and every type are written to', async () => {
    await using workload = await start({ mix: { ...DEFAULT_MIX, expiry: 0 } });
    await answered(workload, 4000);
    await workload.stop();
    const types = new Set<string>();
    for (const database of PLAN.databases) {
      await admin.call('SELECT', database);
      const keys = await admin.call('KEYS', '*');
      for (const key of Array.isArray(keys) ? keys : [])
        if (Buffer.isBuffer(key)) types.add(`${database} ${replyText(await admin.call('TYPE', key))}`);
    }
    const expected = ['hash', 'list', 'set', 'stream', 'string', 'zset'];
    expect([...types].toSorted()).toEqual([
      ...expected.map((type) => `0 ${type}`),
      ...expected.map((type) => `11 ${type}`),
    ]);
  });

  test('the expiry family makes keys that expire meanwhile', async () => {
    await admin.call('CONFIG', 'RESETSTAT');
    await using workload = await start({ mix: { expiry: 1 } });
    await until(async () => /expired_keys:[1-9]/.test(replyText(await admin.call('INFO', 'stats'))));
    expect(await workload.stop()).toMatchObject({ failed: 0 });
  });

  test('a second run of the same seed and prefix meets the keys of the first without errors', async () => {
    for (const seed of [1, 1]) {
      await using workload = await start({}, { seed });
      await answered(workload, 3000);
      expect(await workload.stop()).toMatchObject({ failed: 0, errors: {} });
    }
  });
});

describe('what a server does not have', () => {
  test('a missing command is left out and listed; the others run', async () => {
    await using old = await startServer({ 'rename-command': 'LMPOP ""' });
    await using workload = await start({ mix: { list: 1 } }, {}, old);
    await answered(workload, 500);
    expect(await workload.stop()).toMatchObject({ failed: 0, unsupported: ['lmpop'], neverSucceeded: [] });
  });

  test('operations over databases are left out when there is one', async () => {
    await using workload = await start({ databases: [0], mix: { key: 1, multi: 1 } });
    await answered(workload, 500);
    expect(await workload.stop()).toMatchObject({
      failed: 0,
      unsupported: ['copy db', 'move', 'multi select'],
    });
  });

  test('a mix of which nothing is left is refused, and so is an unknown name', async () => {
    await using old = await startServer({ 'rename-command': 'LMPOP ""' });
    await expect(start({ mix: { lmpop: 1 } }, {}, old)).rejects.toMatchObject({ code: 'SPEC_INVALID' });
    await expect(start({ mix: { lmpopp: 1 } })).rejects.toThrow(/lmpopp/);
  });

  test('a database that does not exist is refused, and no connection stays', async () => {
    await expect(start({ databases: [0, 16] })).rejects.toThrow(/out of range/);
    await until(async () => !replyText(await admin.call('CLIENT', 'LIST')).includes('redis-sync-workload'));
  });

  test('a server that is not there is refused', async () => {
    const gone = await startServer();
    await gone.stop();
    await expect(start({}, {}, gone)).rejects.toMatchObject({ code: 'CONNECT' });
  });
});

describe('the open loop', () => {
  test('what is sent follows the schedule, and every command has one outcome', async () => {
    await using workload = await start({ ratePerSecond: 5000 });
    await answered(workload, 2500);
    const { scheduled = 0, shed, sent, ok, failed, unknown } = await workload.stop();
    expect(ok + failed + unknown).toBe(sent);
    expect(shed).toBe(0);
    // Less by what was due at the stop, more by operations that are longer than one command.
    expect(sent).toBeGreaterThan(scheduled * 0.8);
    expect(sent).toBeLessThan(scheduled + 50 * PLAN.clients);
  });

  test('a stopped server makes the queue grow and then sheds; the schedule goes on', async () => {
    await using stalled = await startServer();
    await using workload = await start({}, {}, stalled);
    await answered(workload, 500);
    process.kill(stalled.pid, 'SIGSTOP');
    await until(() => workload.stats().shed > 1000);
    const during = workload.stats();
    process.kill(stalled.pid, 'SIGCONT');
    await until(() => workload.stats().ok > during.sent);
    const result = await workload.stop();
    expect(during.queued).toBeGreaterThanOrEqual(PLAN.ratePerSecond * 0.9);
    expect(during.outstanding).toBeLessThan(PLAN.clients * 600);
    expect(result).toMatchObject({ failed: 0, unknown: 0, reconnects: 0 });
    expect(result.shed).toBeGreaterThan(1000);
  });

  test('the traffic is spread over all endpoints', async () => {
    await using second = await startServer();
    const plan = { ...PLAN, mix: { incr: 1 }, clients: 1 };
    await using workload = await startWorkload([server.endpoint, second.endpoint], plan, { seed: 1 });
    await answered(workload, 500);
    await using other = await Connection.open(second.endpoint);
    expect(await other.call('DBSIZE')).toBeGreaterThan(0);
    expect(await admin.call('DBSIZE')).toBeGreaterThan(0);
  });

  test('an abort ends the arrivals; the result is still to be had', async () => {
    const controller = new AbortController();
    await using workload = await start({}, { signal: controller.signal });
    await answered(workload, 100);
    controller.abort();
    const { scheduled } = workload.stats();
    await until(() => workload.stats().outstanding === 0);
    expect((await workload.stop()).scheduled).toBe(scheduled);
  });

  test('stop leaves no connection and can be called again', async () => {
    await using workload = await start();
    await answered(workload, 100);
    const [first, second] = await Promise.all([workload.stop(), workload.stop()]);
    expect(second).toBe(first);
    await until(async () => !replyText(await admin.call('CLIENT', 'LIST')).includes('redis-sync-workload'));
    expect(workload.stats()).toMatchObject({ outstanding: 0 });
  });
});

describe('trouble', () => {
  test('lost connections are dialled again; their commands are unknown, and the ledger holds', async () => {
    const ledger = new Ledger();
    await using workload = await start({}, { ledger });
    await answered(workload, 500);
    for (const cut of [1, 2]) {
      await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
      await until(() => workload.stats().reconnects >= cut * PLAN.clients);
      await answered(workload, workload.stats().ok + 500);
    }
    const result = await workload.stop();
    expect(result).toMatchObject({ failed: 0, reconnects: 2 * PLAN.clients });
    expect(result.ok + result.unknown).toBe(result.sent);
    expect(ledger.counts().ok).toBeGreaterThan(50);
    expect(await verifyLedger(admin, ledger)).toMatchObject({
      lost: 0,
      duplicated: 0,
      reordered: 0,
      unexpected: 0,
    });
  });

  test('a server that dies ends nothing; stop still answers', async () => {
    const dying = await startServer();
    await using workload = await start({}, {}, dying);
    await answered(workload, 200);
    await dying.stop();
    await until(() => workload.stats().shed > 0);
    const result = await workload.stop();
    expect(result.ok).toBeGreaterThanOrEqual(200);
    expect(result.ok + result.failed + result.unknown).toBe(result.sent);
  });

  test('error replies are counted by their first word, and the run goes on', async () => {
    await using full = await startServer({ maxmemory: '1', 'maxmemory-policy': 'noeviction' });
    await using workload = await start({ mix: { set: 1, del: 5 } }, {}, full);
    await until(() => workload.stats().failed > 50);
    const result = await workload.stop();
    expect(result.errors).toEqual({ OOM: result.failed });
    expect(result.perCommand['del']).toMatchObject({ failed: 0 });
    expect(result.perCommand['set']).toMatchObject({ ok: 0 });
  });

  test('what follows a refused SELECT is never written to another database', async () => {
    const ledger = new Ledger();
    await using workload = await start({ mix: { incr: 1 } }, { ledger });
    await answered(workload, 500);
    for (const round of [1, 2, 3]) {
      await admin.call('ACL', 'SETUSER', 'default', '-select');
      await until(() => (workload.stats().reconnects >= 1 ? true : workload.stats().failed > 0));
      await admin.call('ACL', 'SETUSER', 'default', '+select');
      await answered(workload, workload.stats().ok + 200 * round);
    }
    const result = await workload.stop();
    expect(result.errors).toEqual({ NOPERM: result.failed });
    for (const database of PLAN.databases) {
      await admin.call('SELECT', database);
      const keys = await admin.call('KEYS', '*:ledger:*');
      const homes = Array.isArray(keys) ? keys.map((key) => /\.(\d+)\D*$/.exec(textOf(key))?.[1]) : [];
      expect(new Set(homes)).toEqual(new Set([String(database)]));
    }
    await admin.call('SELECT', 0);
    expect(await verifyLedger(admin, ledger)).toMatchObject({ lost: 0, unexpected: 0 });
  });

  test('an operation that never succeeded is named', async () => {
    await admin.call('ACL', 'SETUSER', 'default', '-append');
    try {
      await using workload = await start({ mix: { append: 1, incr: 1 } });
      await until(() => workload.stats().failed > 20);
      const result = await workload.stop();
      expect(result.neverSucceeded).toEqual(['append']);
      expect(result.errors).toEqual({ NOPERM: result.failed });
    } finally {
      await admin.call('ACL', 'SETUSER', 'default', '+append');
    }
  });

  test('an operation that was never sent is named, and has a row of zeros', async () => {
    await using workload = await start({
      ratePerSecond: 1,
      clients: 1,
      mix: { incr: 1, append: 1, setnx: 1 },
    });
    const result = await workload.stop();
    expect(result.neverSucceeded).toContain('setnx');
    expect(result.perCommand['setnx']).toMatchObject({ ok: 0, failed: 0 });
  });
});
