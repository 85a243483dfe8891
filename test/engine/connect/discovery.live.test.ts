import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { discoveryOf, openWhere } from '../../../engine/connect/discover.ts';
import type { Discovery } from '../../../engine/connect/discovery.ts';
import type { Endpoint } from '../../../engine/connect/endpoint.ts';
import { command, infoOf, promote, startReplica } from '../../support/replication.ts';
import { startSentinel, type TestSentinel } from '../../support/sentinel.ts';
import { freePort, startServer, type TestServer } from '../../support/server.ts';
import { until } from '../../support/until.ts';

const HOST = '127.0.0.1';

async function nobody(): Promise<Endpoint> {
  return { host: HOST, port: await freePort() };
}

function as(username: string, { endpoint }: TestServer): Endpoint {
  return { ...endpoint, username, password: 'p' };
}

function watch(sentinels: Endpoint[], name = 'main'): Discovery {
  return discoveryOf({ kind: 'sentinel', name, sentinels, login: {} });
}

describe('a list of addresses', () => {
  let primary: TestServer;
  let replica: TestServer;
  beforeAll(async () => {
    primary = await startServer();
    replica = await startReplica(primary.endpoint);
  });
  afterAll(() => Promise.all([primary.stop(), replica.stop()]));

  it('gives the primary, wherever it stands in the list', async () => {
    const endpoints = [await nobody(), replica.endpoint, primary.endpoint];
    const discovery = discoveryOf({ kind: 'list', endpoints });
    expect(await discovery.locate()).toEqual(primary.endpoint);
    await using connection = await openWhere({ kind: 'list', endpoints });
    expect(connection.endpoint).toEqual(primary.endpoint);
  });

  it('says of every address why it is not the one, when none is', async () => {
    const dead = await nobody();
    const asked = discoveryOf({ kind: 'list', endpoints: [dead, replica.endpoint] }).locate();
    await expect(asked).rejects.toMatchObject({ code: 'CONNECT', retryable: true });
    await expect(asked).rejects.toThrow('ECONNREFUSED');
    await expect(asked).rejects.toThrow(`${HOST}:${replica.port}: a replica of ${HOST}:${primary.port}`);
  });

  it('of two primaries prefers the one that knows our history, then the last that worked, then the first', async () => {
    await using stranger = await startServer();
    const list = { kind: 'list' as const, endpoints: [stranger.endpoint, primary.endpoint] };
    const { master_replid: replid = '' } = await infoOf(primary.endpoint, 'replication');
    expect(await discoveryOf(list).locate()).toEqual(stranger.endpoint);
    expect(await discoveryOf(list).locate({ replid })).toEqual(primary.endpoint);
    const loyal = discoveryOf(list);
    loyal.confirm(primary.endpoint);
    expect(await loyal.locate()).toEqual(primary.endpoint);
    // The last good one came back as somebody else: the history counts.
    loyal.confirm(stranger.endpoint);
    expect(await loyal.locate({ replid })).toEqual(primary.endpoint);
  });

  it('finds a promoted replica by the history it continues', async () => {
    await using heir = await startReplica(primary.endpoint);
    await using stranger = await startServer();
    const { master_replid: replid = '' } = await infoOf(primary.endpoint, 'replication');
    await promote(heir.endpoint);
    const discovery = discoveryOf({ kind: 'list', endpoints: [stranger.endpoint, heir.endpoint] });
    expect(await discovery.locate({ replid })).toEqual(heir.endpoint);
  });

  it('asks ROLE where INFO is refused, and takes an address that may not be asked only if there is no other', async () => {
    await command(primary.endpoint, 'ACL', 'SETUSER', 'roleonly', 'on', '>p', '+role');
    await command(replica.endpoint, 'ACL', 'SETUSER', 'roleonly', 'on', '>p', '+role');
    await command(primary.endpoint, 'ACL', 'SETUSER', 'mute', 'on', '>p', '+psync');
    const byRole = [as('roleonly', replica), as('roleonly', primary)];
    expect(await discoveryOf({ kind: 'list', endpoints: byRole }).locate()).toEqual(byRole[1]);
    const mute = as('mute', primary);
    expect(await discoveryOf({ kind: 'list', endpoints: [mute] }).locate()).toEqual(mute);
    expect(await discoveryOf({ kind: 'list', endpoints: [mute, as('roleonly', primary)] }).locate()).toEqual(
      as('roleonly', primary),
    );
  });

  it('a login that every address refuses is a login error', async () => {
    const wrong = [primary, replica].map(({ endpoint }) => ({
      ...endpoint,
      username: 'nobody',
      password: 'x',
    }));
    await expect(discoveryOf({ kind: 'list', endpoints: wrong }).locate()).rejects.toMatchObject({
      code: 'AUTH',
    });
  });

  it('an abort ends the asking', async () => {
    const abort = new AbortController();
    abort.abort();
    const asked = discoveryOf({ kind: 'list', endpoints: [primary.endpoint] }).locate({
      signal: abort.signal,
    });
    await expect(asked).rejects.toMatchObject({
      code: 'CONNECT',
      message: expect.stringContaining('aborted'),
    });
  });
});

describe('a Sentinel', () => {
  let primary: TestServer;
  let replica: TestServer;
  let sentinel: TestSentinel;
  beforeAll(async () => {
    primary = await startServer();
    replica = await startReplica(primary.endpoint);
    sentinel = await startSentinel({ name: 'main', primary: primary.endpoint, quorum: 1 });
  });
  afterAll(() => Promise.all([primary.stop(), replica.stop(), sentinel.stop()]));

  it('names the primary; Sentinels that are down are passed over', async () => {
    expect(await watch([await nobody(), sentinel.endpoint]).locate()).toEqual(primary.endpoint);
  });

  it('gives the servers it names their own login', async () => {
    await command(primary.endpoint, 'ACL', 'SETUSER', 'app', 'on', '>p', '+@all', '~*');
    const login = { username: 'app', password: 'p' };
    const discovery = discoveryOf({ kind: 'sentinel', name: 'main', sentinels: [sentinel.endpoint], login });
    expect(await discovery.locate()).toEqual({ ...primary.endpoint, ...login });
    const wrong = discoveryOf({
      kind: 'sentinel',
      name: 'main',
      sentinels: [sentinel.endpoint],
      login: { username: 'app', password: 'wrong' },
    });
    await expect(wrong.locate()).rejects.toMatchObject({ code: 'AUTH' });
  });

  it('may have a login of its own', async () => {
    const config = ['requirepass watcher'];
    await using locked = await startSentinel({ name: 'main', primary: primary.endpoint, quorum: 1, config });
    expect(await watch([{ ...locked.endpoint, password: 'watcher' }]).locate()).toEqual(primary.endpoint);
    await expect(watch([{ ...locked.endpoint, password: 'wrong' }]).locate()).rejects.toThrow(
      /WRONGPASS|invalid/,
    );
    await expect(watch([locked.endpoint]).locate()).rejects.toThrow('NOAUTH');
  });

  it('that does not know the name says so', async () => {
    await expect(watch([sentinel.endpoint], 'other').locate()).rejects.toMatchObject({
      code: 'CONNECT',
      retryable: true,
      message: expect.stringContaining('it does not watch "other"'),
    });
  });

  it('is not believed when the server it names is no primary', async () => {
    await using liar = await startSentinel({ name: 'main', primary: replica.endpoint, quorum: 1 });
    await expect(watch([liar.endpoint]).locate()).rejects.toThrow(/names .* which says: a replica of/);
    expect(await watch([liar.endpoint, sentinel.endpoint]).locate()).toEqual(primary.endpoint);
  });

  it('leads to the new primary after a failover', async () => {
    const discovery = watch([sentinel.endpoint]);
    expect(await discovery.locate()).toEqual(primary.endpoint);
    // Until it has learned of the replica there is none to promote.
    await until(() => command(sentinel.endpoint, 'SENTINEL', 'FAILOVER', 'main').catch(() => false as const));
    const found = await until(async () => {
      const endpoint = await discovery.locate().catch(() => undefined);
      return endpoint?.port === replica.port ? endpoint : undefined;
    });
    expect(found).toEqual(replica.endpoint);
  });
});
