/** What a real target is measured to be, and what is left of that for an account that may ask little. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  hasCommand,
  isSince,
  measureTarget,
  UNKNOWN_TARGET,
  type TargetFacts,
} from '../../../engine/apply/target-facts.ts';
import { Connection } from '../../../engine/connect/connection.ts';
import { parseInfo } from '../../../engine/resp/reply-text.ts';
import { startServer, type TestServer } from '../../support/server.ts';

let server: TestServer;
let admin: Connection;

beforeAll(async () => {
  server = await startServer({ databases: '7' });
  admin = await Connection.open(server.endpoint);
});

afterAll(async () => {
  await admin.close();
  await server.stop();
});

/** What an account with these rules (all others taken away) is told. */
async function measureAs(...rules: string[]): Promise<TargetFacts> {
  await admin.call('ACL', 'SETUSER', 'few', 'reset', 'on', '>secret', '~*', ...rules);
  await using connection = await Connection.open({
    ...server.endpoint,
    username: 'few',
    password: 'secret',
  });
  return await measureTarget(connection);
}

describe('measuring a target', () => {
  it('tells version, databases, commands and payloads as they are, and leaves no key', async () => {
    const facts = await measureTarget(admin);
    const info = parseInfo(await admin.call('INFO', 'server'));
    expect(facts.server).toBe(
      info['valkey_version'] ? `valkey ${info['valkey_version']}` : `redis ${info['redis_version']}`,
    );
    expect(facts).toMatchObject({ databases: 7, cluster: false, degraded: [] });
    expect(facts.commands?.has('RESTORE')).toBe(true);
    expect(facts.payloadVersions?.has(9)).toBe(true);
    // The version it dumps in is the newest one it takes.
    await admin.call('SET', 'k', 'v');
    const dump = await admin.call('DUMP', 'k');
    const written = Buffer.isBuffer(dump) ? dump.readUInt16LE(dump.length - 10) : 0;
    expect(Math.max(...(facts.payloadVersions ?? []))).toBe(written);
    expect(facts.payloadVersions?.has(written + 1)).toBe(false);
    expect(await admin.call('DBSIZE')).toBe(1);
    await admin.call('FLUSHALL');
  });

  it('tells the version without INFO', async () => {
    const whole = await measureTarget(admin);
    const { family, version, degraded } = await measureAs('+@all', '-info');
    expect({ family, version, degraded }).toEqual({
      family: whole.family,
      version: whole.version,
      degraded: [],
    });
  });

  it('says what could not be told, and assumes what the source writes', async () => {
    const facts = await measureAs('+ping', '+@transaction');
    expect(facts).toMatchObject({
      databases: undefined,
      commands: undefined,
      payloadVersions: undefined,
      modules: undefined,
    });
    // COMMAND and RESTORE; where HELLO can be denied, the version too.
    expect(facts.degraded.length).toBeGreaterThanOrEqual(2);
    expect(isSince(UNKNOWN_TARGET, { redis: '99' })).toBe(true);
    expect(hasCommand(UNKNOWN_TARGET, 'ANYTHING', {})).toBe(true);
  });

  it('believes the list of commands more than the version', async () => {
    await using renamed = await startServer({ 'rename-command': 'UNLINK hidden' });
    await using connection = await Connection.open(renamed.endpoint);
    const facts = await measureTarget(connection);
    expect(hasCommand(facts, 'UNLINK', { redis: '4.0', valkey: '7.2' })).toBe(false);
    expect(hasCommand(facts, 'APPEND', { redis: '2.0', valkey: '7.2' })).toBe(true);
  });
});
