/**
 * Becoming a replica: log in, announce what we can read, ask PSYNC, read the answer. Each line waits for its reply
 * (a source refuses PSYNC while output of an earlier command is pending), and no listening port is announced, so that
 * Sentinel does not adopt us.
 */
import type { Socket } from 'node:net';
import { authCommand } from '../connect/credentials.ts';
import { dial } from '../connect/dial.ts';
import { describeEndpoint, type Endpoint } from '../connect/endpoint.ts';
import { wordReplyError } from '../connect/reply-errors.ts';
import { SyncError } from '../errors.ts';
import { encodeCommand, type Argument } from '../resp/encode.ts';
import { ReplyError } from '../resp/reply.ts';

/**
 * The Valkey release whose snapshots we read (RDB 80). To a replica that does not say, Valkey 9 writes RDB 11, and breaks off
 * at the first hash that has a field with an expiry ("Can't store key in RDB version 11").
 */
const READS_LIKE_VALKEY = '9.0.0';

/** A place in a replication history: every byte up to and including `offset` is known. */
export interface ReplicationPosition {
  replid: string;
  offset: bigint;
}

export type PsyncAnswer =
  /** A snapshot follows; the stream after it begins at `offset` + 1. */
  | { kind: 'full'; replid: string; offset: bigint }
  /** The stream goes on at the position asked for; `replid` may be new (a promoted replica): adopt it. */
  | { kind: 'continue'; replid: string };

export interface ReplicaSession {
  socket: Socket;
  answer: PsyncAnswer;
  /** Bytes that came behind the answer; they belong to the snapshot or the stream. */
  rest: Buffer;
}

export interface HandshakeOptions {
  connectTimeoutMs: number;
  /** Longest silence. The answer to PSYNC may take longer, as long as newlines say that the source is alive. */
  idleTimeoutMs: number;
  signal?: AbortSignal;
}

/**
 * @param position where we are, or null for a full sync.
 * @throws SyncError CONNECT, AUTH, PERMISSION, PSYNC_REFUSED.
 */
export async function openReplicaSession(
  source: Endpoint,
  position: ReplicationPosition | null,
  options: HandshakeOptions,
): Promise<ReplicaSession> {
  const socket = await dial(source, {
    timeoutMs: options.connectTimeoutMs,
    ...(options.signal ? { signal: options.signal } : {}),
  });
  const lines = new LineReader(socket, source, options);
  try {
    await logIn(lines, source);
    // Sources answer an error to the first word that they do not know, having taken what stands before it; that is an
    // answer, not a failure. But one that forbids REPLCONF would end the connection at our first acknowledgement.
    const capable = await lines.ask([
      'REPLCONF',
      'capa',
      'eof',
      'capa',
      'psync2',
      'version',
      READS_LIKE_VALKEY,
    ]);
    // Nor does one that takes no command at the moment tell what it can.
    if (capable.startsWith('-NOPERM') || isMomentary(capable)) throw refusal(capable, source);
    const line =
      position === null
        ? await lines.ask(['PSYNC', '?', '-1'])
        : await lines.ask(['PSYNC', position.replid, position.offset + 1n]);
    const answer = readAnswer(line, position, source);
    return { socket, answer, rest: lines.release() };
  } catch (error) {
    lines.release();
    socket.destroy();
    throw error;
  }
}

async function logIn(lines: LineReader, source: Endpoint): Promise<void> {
  const auth = authCommand(source);
  if (auth === undefined) return;
  const line = await lines.ask(auth);
  if (line.startsWith('-')) throw wordReplyError(new ReplyError(line.slice(1)), source, 'AUTH');
}

function readAnswer(line: string, position: ReplicationPosition | null, source: Endpoint): PsyncAnswer {
  const [word, replid, offset] = line.split(' ');
  if (word === '+FULLRESYNC' && replid !== undefined && offset !== undefined && /^\d+$/.test(offset)) {
    return { kind: 'full', replid, offset: BigInt(offset) };
  }
  if (word === '+CONTINUE' && position !== null)
    return { kind: 'continue', replid: replid ?? position.replid };
  throw refusal(line, source);
}

/** Refusals that end by themselves, or when somebody ends what blocks the source. */
function isMomentary(line: string): boolean {
  return /^-(NOMASTERLINK|LOADING|MASTERDOWN|TRYAGAIN|BUSY|ERR max number of clients)\b/.test(line);
}

/** What each refusal means. Texts: replication.c (syncCommand), acl.c. */
function refusal(line: string, source: Endpoint): SyncError {
  const where = describeEndpoint(source);
  const text = line.replace(/^[-+]/, '');
  if (/^NOAUTH|^WRONGPASS/.test(text)) return wordReplyError(new ReplyError(text), source, 'PSYNC');
  if (isMomentary(line)) {
    return new SyncError('PSYNC_REFUSED', `The source is not ready to be replicated: ${text}`, {
      where,
      retryable: true,
      hint: 'It is loading its data, busy, full of clients, or itself a replica without its primary: wait, or use the primary.',
    });
  }
  if (/unknown command/i.test(text)) {
    return new SyncError('PSYNC_REFUSED', `The source does not know PSYNC: ${text}`, {
      where,
      hint: 'The command is renamed or disabled (rename-command), or this is a proxy: use the address of the server itself.',
    });
  }
  return new SyncError('PSYNC_REFUSED', `The source refuses to be replicated: ${text}`, {
    where,
    cause: new ReplyError(text),
    hint: text.startsWith('NOPERM')
      ? 'Give the account replication rights: ACL SETUSER <user> +psync +replconf +ping.'
      : 'The source must allow PSYNC and REPLCONF to this account.',
  });
}

/** Longer than any line of a handshake; beyond it the peer speaks something else. */
const LINE_BYTES_MAX = 16 * 1024;

/** Reads reply lines one at a time, skipping the newlines a source sends as keep-alive. */
class LineReader {
  readonly #socket: Socket;
  readonly #source: Endpoint;
  readonly #options: HandshakeOptions;
  #buffer: Buffer = Buffer.alloc(0);
  #idle: NodeJS.Timeout | undefined;
  #wake: (() => void) | undefined;
  #failure: Error | undefined;

  constructor(socket: Socket, source: Endpoint, options: HandshakeOptions) {
    this.#socket = socket;
    this.#source = source;
    this.#options = options;
    socket.on('data', this.#onData);
    socket.on('error', this.#onEnd);
    socket.on('close', this.#onEnd);
    if (options.signal?.aborted) this.#onAbort();
    else options.signal?.addEventListener('abort', this.#onAbort);
  }

  async ask(args: Argument[]): Promise<string> {
    this.#socket.write(encodeCommand(args));
    this.#idle = setTimeout(() => this.#onEnd(new Error('no answer')), this.#options.idleTimeoutMs);
    try {
      for (;;) {
        const line = this.#takeLine();
        if (line !== undefined) return line;
        if (this.#failure) throw this.#lost(String(args[0]));
        if (this.#buffer.length > LINE_BYTES_MAX) throw notALine(this.#source, this.#buffer);
        await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    } finally {
      clearTimeout(this.#idle);
    }
  }

  /** Stops listening and gives back what was read but not used. The socket is paused. */
  release(): Buffer {
    this.#socket.pause();
    this.#socket.off('data', this.#onData);
    this.#socket.off('error', this.#onEnd);
    this.#socket.off('close', this.#onEnd);
    // Whoever takes over listens for 'close'; an 'error' without a listener would end the process in between.
    this.#socket.on('error', () => undefined);
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
    return this.#buffer;
  }

  #takeLine(): string | undefined {
    let start = 0;
    while (this.#buffer[start] === 10) start++;
    this.#buffer = this.#buffer.subarray(start);
    const end = this.#buffer.indexOf('\r\n');
    if (end === -1) return undefined;
    const line = this.#buffer.toString('utf8', 0, end);
    this.#buffer = this.#buffer.subarray(end + 2);
    return line;
  }

  readonly #onData = (chunk: Buffer): void => {
    // Also a bare newline is a sign of life: a source that waits for another snapshot to end sends nothing else.
    this.#idle?.refresh();
    this.#buffer = this.#buffer.length === 0 ? chunk : Buffer.concat([this.#buffer, chunk]);
    this.#wake?.();
  };

  readonly #onEnd = (error?: Error | boolean): void => {
    this.#failure ??= error instanceof Error ? error : new Error('the source closed the connection');
    this.#wake?.();
  };

  readonly #onAbort = (): void => this.#onEnd(new Error('aborted'));

  #lost(command: string): SyncError {
    const why = this.#failure?.message ?? 'closed';
    return new SyncError('CONNECT', `The source went away during ${command}: ${why}.`, {
      where: describeEndpoint(this.#source),
      retryable: true,
      cause: this.#failure,
    });
  }
}

function notALine(source: Endpoint, bytes: Buffer): SyncError {
  const shown = JSON.stringify(bytes.toString('latin1', 0, 40));
  return new SyncError('PROTOCOL', `The source answers ${shown} and no end of line.`, {
    where: describeEndpoint(source),
    hint: 'Is this a Redis-compatible port, and is TLS switched on exactly where the server has it?',
  });
}
