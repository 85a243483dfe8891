import { getEventListeners } from 'node:events';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { runHeartbeat } from '../../../engine/link/heartbeat.ts';
import { Connection } from '../../../engine/connect/connection.ts';
import type { Endpoint } from '../../../engine/connect/endpoint.ts';
import { startServer, type TestServer } from '../../support/server.ts';
import { ask, until } from './rehearsal.ts';

const KEY = 'DTS_REDIS_TIMESTAMP_HEARTBEAT:test';

let server: TestServer;
let connection: Connection;
let stop: (() => Promise<void>) | undefined;

beforeAll(async () => {
  server = await startServer();
  connection = await Connection.open(server.endpoint);
});
afterEach(() => stop?.());
afterAll(async () => {
  await connection.close();
  await server.stop();
});

/** Starts a heartbeat; what it said about being refused. */
function beat(login: Partial<Endpoint> = {}): Error[] {
  const refused: Error[] = [];
  const controller = new AbortController();
  const running = runHeartbeat(
    {
      source: () => ({ ...server.endpoint, ...login }),
      key: KEY,
      intervalMs: 10,
      wallClock: () => 4711,
      onRefused: (error) => refused.push(error),
    },
    controller.signal,
  );
  stop = async () => {
    stop = undefined;
    controller.abort();
    await running;
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
  };
  return refused;
}

describe('runHeartbeat', () => {
  it('writes the time with a life of its own, and removes it at the end', async () => {
    const refused = beat();
    await until('a beat', async () => (await ask(connection, 'GET', KEY)) === '4711');
    expect(Number(await ask(connection, 'PTTL', KEY))).toBeGreaterThan(0);
    await stop?.();
    expect(await ask(connection, 'EXISTS', KEY)).toBe('0');
    expect(refused).toEqual([]);
  });

  it('comes back by itself after its connection broke', async () => {
    const refused = beat();
    await until('a beat', async () => (await ask(connection, 'EXISTS', KEY)) === '1');
    await connection.pipeline([
      ['CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'],
      ['DEL', KEY],
    ]);
    await until('another beat', async () => (await ask(connection, 'EXISTS', KEY)) === '1');
    expect(refused).toEqual([]);
  });

  it('says once that it is refused, and goes on when what refused it has passed', async () => {
    await connection.call('CONFIG', 'SET', 'maxmemory', 1);
    const refused = beat();
    await until('the word', () => refused.length === 1);
    expect(refused[0]?.message).toContain('OOM');
    await connection.call('CONFIG', 'SET', 'maxmemory', 0);
    await until('a beat', async () => (await ask(connection, 'EXISTS', KEY)) === '1');
    expect(refused).toHaveLength(1);
  });

  it('does not try a forbidden account again and again, and still ends at once', async () => {
    await connection.call('ACL', 'SETUSER', 'reader', 'on', '>pw', '~*', '+@read', '+@connection');
    const before = Number(
      /total_connections_received:(\d+)/.exec(await ask(connection, 'INFO', 'stats'))?.[1],
    );
    const refused = beat({ username: 'reader', password: 'pw' });
    await until('the word', () => refused.length === 1);
    expect(refused[0]).toMatchObject({ code: 'PERMISSION' });
    await new Promise((resolve) => setTimeout(resolve, 100));
    await stop?.();
    const after = Number(
      /total_connections_received:(\d+)/.exec(await ask(connection, 'INFO', 'stats'))?.[1],
    );
    expect(after - before).toBe(1);
  });

  it('ends within a second when the source hangs', async () => {
    beat();
    await until('a beat', async () => (await ask(connection, 'EXISTS', KEY)) === '1');
    process.kill(server.pid, 'SIGSTOP');
    try {
      await stop?.();
    } finally {
      process.kill(server.pid, 'SIGCONT');
    }
    expect(await ask(connection, 'PING')).toBe('PONG');
  });
});
