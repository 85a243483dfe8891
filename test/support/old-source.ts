/**
 * A source as Redis 3.2 to 6.2 with `lua-replicate-commands no` is one: it sends scripts as text. Redis 7 never does, so its
 * stream is played: the forms are those measured on a real Redis 6.0.16.
 */
import type { Endpoint } from '../../engine/connect/endpoint.ts';
import { encodeCommands } from '../../engine/resp/encode.ts';
import { snapshot, string, type Piece } from '../engine/rdb/snapshot-bytes.ts';
import { startScriptedSource, type ScriptedPeer, type ScriptedSource } from './scripted-source.ts';

const REPLID = '6'.repeat(40);
const AUX = 250;
const FIRST_OFFSET = 100n;

export class OldSource implements AsyncDisposable {
  readonly #server: ScriptedSource;
  readonly #peers: Promise<ScriptedPeer>[];
  /** Everything that was sent as stream, for whoever continues. */
  #stream = Buffer.alloc(0);

  private constructor(server: ScriptedSource, peers: Promise<ScriptedPeer>[]) {
    this.#server = server;
    this.#peers = peers;
  }

  /** `scripts`: bodies that its snapshot carries. Takes up to three replicas, one after the other. */
  static async start(scripts: readonly string[] = []): Promise<OldSource> {
    const records: Piece[] = [
      [AUX, string('redis-ver'), string('6.0.16')],
      ...scripts.map((body) => [AUX, string('lua'), string(body)]),
    ];
    const image = snapshot('REDIS0009', ...records);
    const opened: ((peer: ScriptedPeer) => void)[] = [];
    const peers = Array.from(
      { length: 3 },
      () => new Promise<ScriptedPeer>((resolve) => opened.push(resolve)),
    );
    let next = 0;
    let source: OldSource | undefined;
    const play = async (peer: ScriptedPeer): Promise<void> => {
      const first = await peer.next();
      // Whoever asks INFO or TIME instead of becoming a replica gets no answer: an account may lack the right.
      if (first[0] !== 'REPLCONF') return peer.reset();
      await peer.send('+OK\r\n');
      const [, replid, offset] = await peer.next();
      if (replid === REPLID && source) {
        await peer.send(`+CONTINUE ${REPLID}\r\n`);
        await peer.send(source.#stream.subarray(Number(BigInt(offset ?? 0) - FIRST_OFFSET - 1n)));
      } else {
        await peer.send(`+FULLRESYNC ${REPLID} ${FIRST_OFFSET}\r\n$${image.length}\r\n`);
        await peer.send(image);
      }
      opened[next++]?.(peer);
      await peer.closed();
    };
    const server = await startScriptedSource(...Array.from({ length: 12 }, () => play));
    source = new OldSource(server, peers);
    return source;
  }

  get endpoint(): Endpoint {
    return this.#server.endpoint;
  }

  get offset(): bigint {
    return FIRST_OFFSET + BigInt(this.#stream.length);
  }

  /** Sends commands to the replica that came last; returns the offset behind them. */
  async write(replica: number, ...commands: (string | number)[][]): Promise<bigint> {
    const bytes = encodeCommands(commands);
    this.#stream = Buffer.concat([this.#stream, bytes]);
    const peer = await this.#peers[replica];
    await peer?.send(bytes);
    return this.offset;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.stop();
  }
}
