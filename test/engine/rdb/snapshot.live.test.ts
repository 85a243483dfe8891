/** A snapshot of a real server: read whole and cut everywhere, decoded against its answers, restored on another one. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Connection } from '../../../engine/connect/connection.ts';
import { decodeValue } from '../../../engine/rdb/decode.ts';
import {
  dumpPayloadLength,
  sameBody,
  splitDumpPayload,
  writeDumpPayload,
} from '../../../engine/rdb/dump-payload.ts';
import type { RawEntry } from '../../../engine/rdb/entry.ts';
import { startServer, type TestServer } from '../../support/server.ts';
import { askEverything, type CanonicalKey, canonicalValue } from './canonical.ts';
import { EVERY_TYPE_CONFIG, fillEveryType } from './every-type.ts';
import {
  decodedKeys,
  differingCuts,
  entriesOf,
  pieces,
  readPieces,
  readWhole,
  undetectedChanges,
  unevenPieces,
} from './read-snapshot.ts';

interface Filled {
  server: TestServer;
  connection: Connection;
  snapshot: Buffer;
  answers: CanonicalKey[];
  version: number;
}

/** An empty server of the same kind. */
async function startEmpty(
  config: Record<string, string> = {},
): Promise<{ server: TestServer; connection: Connection }> {
  const server = await startServer({ ...EVERY_TYPE_CONFIG, 'enable-debug-command': 'yes', ...config });
  return { server, connection: await Connection.open(server.endpoint) };
}

async function saved(server: TestServer, connection: Connection): Promise<Buffer> {
  await connection.call('SAVE');
  return readFile(join(server.folder, 'dump.rdb'));
}

async function fill(): Promise<Filled> {
  const { server, connection } = await startEmpty();
  await fillEveryType(connection);
  const answers = await askEverything(connection);
  const snapshot = await saved(server, connection);
  return {
    server,
    connection,
    snapshot,
    answers,
    version: Number(/\d+$/.exec(snapshot.toString('latin1', 0, 9))?.[0]),
  };
}

function payloadOf(entry: RawEntry, version: number): Buffer {
  const payload = Buffer.alloc(dumpPayloadLength(entry.value.length));
  expect(writeDumpPayload(entry.type, entry.value, version, payload, 0)).toBe(payload.length);
  return payload;
}

describe('a snapshot with every type', () => {
  let filled: Filled;
  beforeAll(async () => {
    filled = await fill();
  });
  afterAll(() => filled.server.stop());

  it('decodes to what the server answers', () => {
    expect(decodedKeys(filled.snapshot)).toEqual(filled.answers);
  });

  it('reads the same cut into two at every byte', () => {
    expect(differingCuts(filled.snapshot)).toEqual([]);
  });

  it('reads the same in pieces of any size', () => {
    const expected = readWhole(filled.snapshot);
    for (const size of [1, 2, 7, 1000]) expect(readPieces(pieces(filled.snapshot, size))).toEqual(expected);
    for (let seed = 1; seed <= 20; seed++)
      expect(readPieces(unevenPieces(filled.snapshot, seed))).toEqual(expected);
  });

  it('carries the source text of functions', async () => {
    const events = readWhole(filled.snapshot);
    const codes = events.flatMap(([kind, code]) => (kind === 'function' ? [String(code)] : []));
    expect(codes).toEqual([expect.stringMatching(/^#!lua name=everytype\n/)]);
    const target = await startEmpty();
    try {
      for (const code of codes) {
        expect(await target.connection.call('FUNCTION', 'LOAD', code)).toEqual(Buffer.from('everytype'));
      }
    } finally {
      await target.server.stop();
    }
  });

  it('gives payloads that are byte for byte what DUMP gives', async () => {
    for (const entry of entriesOf(readWhole(filled.snapshot))) {
      await filled.connection.call('SELECT', entry.database);
      const dumped = await filled.connection.call('DUMP', entry.key);
      if (!Buffer.isBuffer(dumped)) throw new Error(`no DUMP of ${entry.key.toString('latin1')}`);
      const payload = payloadOf(entry, filled.version);
      expect(payload).toEqual(dumped);
      expect(sameBody(payload, dumped)).toBe(true);
      expect(splitDumpPayload(dumped)).toMatchObject({
        type: entry.type,
        value: entry.value,
        version: filled.version,
      });
    }
  });

  it('restores on another server with equal answers', async () => {
    const target = await startEmpty();
    try {
      for (const entry of entriesOf(readWhole(filled.snapshot))) {
        await target.connection.call('SELECT', entry.database);
        const expireAt = Math.max(entry.expireAtMs, 0);
        await target.connection.call(
          'RESTORE',
          entry.key,
          expireAt,
          payloadOf(entry, filled.version),
          'REPLACE',
          'ABSTTL',
        );
      }
      expect(await askEverything(target.connection)).toEqual(filled.answers);
    } finally {
      await target.server.stop();
    }
  });

  it('refuses any changed byte, by structure or by checksum', () => {
    expect(undetectedChanges(filled.snapshot)).toEqual([]);
  });
});

describe('attributes', () => {
  it('carries LFU frequencies', async () => {
    const { server, connection } = await startEmpty({ 'maxmemory-policy': 'allkeys-lfu' });
    try {
      await connection.call('SET', 'model', 'x');
      const payload = await connection.call('DUMP', 'model');
      await connection.call('RESTORE', 'hot', 0, Buffer.isBuffer(payload) ? payload : '', 'FREQ', 200);
      const entries = entriesOf(readWhole(await saved(server, connection)));
      expect(entries.find((entry) => entry.key.toString() === 'hot')).toMatchObject({ idleSeconds: -1 });
      // One may be lost to decay when the minute changes.
      expect(entries.find((entry) => entry.key.toString() === 'hot')!.frequency).toBeGreaterThanOrEqual(199);
    } finally {
      await server.stop();
    }
  });

  it('carries LRU idle times', async () => {
    const { server, connection } = await startEmpty({ 'maxmemory-policy': 'allkeys-lru' });
    try {
      await connection.call('SET', 'model', 'x');
      const payload = await connection.call('DUMP', 'model');
      await connection.call(
        'RESTORE',
        'cold',
        0,
        Buffer.isBuffer(payload) ? payload : '',
        'IDLETIME',
        100000,
      );
      const entries = entriesOf(readWhole(await saved(server, connection)));
      expect(entries.find((entry) => entry.key.toString() === 'cold')).toMatchObject({ frequency: -1 });
      expect(entries.find((entry) => entry.key.toString() === 'cold')!.idleSeconds).toBeGreaterThanOrEqual(
        100000,
      );
    } finally {
      await server.stop();
    }
  });

  it('reads a snapshot without checksum and one without compression', async () => {
    const { server, connection } = await startEmpty({ rdbchecksum: 'no', rdbcompression: 'no' });
    try {
      await connection.call('SET', 'k', 'a'.repeat(500));
      const events = readWhole(await saved(server, connection));
      expect(events.at(-1)).toEqual(['end', 'absent']);
      expect(entriesOf(events)[0]!.value.length).toBeGreaterThan(500);
    } finally {
      await server.stop();
    }
  });
});

describe('a list with large elements', () => {
  it('decodes nodes that are one element', async () => {
    const { server, connection } = await startEmpty({ 'list-max-listpack-size': '1' });
    try {
      await connection.call('DEBUG', 'QUICKLIST-PACKED-THRESHOLD', '200B');
      const elements = ['small', 'p'.repeat(300), 'small again'];
      for (const element of elements) await connection.call('RPUSH', 'l', element);
      const [entry] = entriesOf(readWhole(await saved(server, connection)));
      // Three nodes, one of them plain (1) and compressed (0xc3).
      expect(entry!.value[0]).toBe(3);
      expect(entry!.value.includes(Buffer.from([1, 0xc3]))).toBe(true);
      expect(canonicalValue(decodeValue(entry!.type, entry!.value))).toEqual({ list: elements });
    } finally {
      await server.stop();
    }
  });
});
