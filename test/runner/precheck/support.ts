/** Runs single prechecks between two endpoints and returns the row; a scripted peer for servers one cannot install. */
import { createServer } from 'node:net';
import { DEFAULT_ENGINE_OPTIONS } from '../../../engine/link/options.ts';
import type { Endpoint } from '../../../engine/connect/endpoint.ts';
import type { PrecheckRow } from '../../../reports/results.ts';
import { pickFreePort } from '../../../runner/provision/free-port.ts';
import {
  runPrechecks,
  type PrecheckContext,
  type PrecheckInstance,
} from '../../../runner/precheck/run-prechecks.ts';

export interface Pair {
  source: Endpoint;
  target: Endpoint;
  /** Both may be probed and were started by the run. Default false: existing production servers. */
  throwAway?: boolean;
  allowExisting?: boolean;
}

export function contextOf({
  source,
  target,
  throwAway = false,
  allowExisting = false,
}: Pair): PrecheckContext {
  const instance = (endpoint: Endpoint): PrecheckInstance => ({
    endpoint,
    provisioned: throwAway,
    mayProbe: throwAway,
  });
  return {
    instances: new Map([
      ['src', instance(source)],
      ['dst', instance(target)],
    ]),
    links: [{ id: 'a', source: 'src', target: 'dst' }],
    allowExisting,
    heartbeatPrefix: DEFAULT_ENGINE_OPTIONS.heartbeatPrefix,
  };
}

/** The row of one check about the source, the target or the link. `subject`: which row, when there are two. */
export async function rowOf(id: string, pair: Pair, subject = ''): Promise<PrecheckRow> {
  const rows = await runPrechecks({ ...contextOf(pair), only: [id] });
  const row = rows.find((candidate) => candidate.subject.includes(subject));
  if (!row) throw new Error(`no row ${id}`);
  return row;
}

export interface Peer extends AsyncDisposable {
  endpoint: Endpoint;
}

/**
 * A peer that answers commands from a table of raw RESP replies, by the longest prefix of the command line (upper case);
 * `-ERR unknown command` otherwise.
 */
export async function startPeer(replies: Record<string, string | Buffer>, delayMs = 0): Promise<Peer> {
  const port = await pickFreePort();
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      for (const command of readCommands(chunk.toString('latin1'))) {
        const known = Object.keys(replies)
          .filter((prefix) => command.toUpperCase().startsWith(prefix))
          .toSorted((left, right) => right.length - left.length)[0];
        const reply = known === undefined ? '-ERR unknown command\r\n' : (replies[known] ?? '');
        setTimeout(() => socket.write(reply), delayMs);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    endpoint: { host: '127.0.0.1', port },
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
      }),
  };
}

/** A bulk string. */
export function bulk(content: string | Buffer): Buffer {
  const bytes = Buffer.from(content);
  return Buffer.concat([Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n')]);
}

/** Whole commands only: what a client sends in one write arrives in one piece on loopback. */
function readCommands(text: string): string[] {
  const commands: string[] = [];
  for (let at = 0; text[at] === '*';) {
    const words: string[] = [];
    let end = text.indexOf('\r\n', at);
    const count = Number(text.slice(at + 1, end));
    for (let index = 0; index < count; index++) {
      const start = end + 2;
      end = text.indexOf('\r\n', start);
      const length = Number(text.slice(start + 1, end));
      words.push(text.slice(end + 2, end + 2 + length));
      end += 2 + length;
    }
    commands.push(words.join(' '));
    at = end + 2;
  }
  return commands;
}
