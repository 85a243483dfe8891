/**
 * A TCP proxy that breaks connections at a place in the bytes that a test names, in ways networks do. Its address stays the
 * same; bytes pass unchanged, in order, with backpressure, until a cut happens:
 *
 *   drop    the sender is reset; the receiver gets exactly the bytes up to the place, then the end
 *   late    nothing passes from the place on, for `holdMs`; then the client is reset, and what it had sent is delivered to
 *           the server `lateMs` afterwards, when the client has long come back on another connection: what a retransmission
 *           of a dead sender's kernel, or the buffer of a balancer, does
 */
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Endpoint } from '../../engine/connect/endpoint.ts';

export type Direction = 'request' | 'reply';

export type Cut =
  | { kind: 'drop'; direction: Direction; afterBytes: number }
  | { kind: 'late'; afterBytes: number; holdMs: number; lateMs: number };

export interface ProxyCounters {
  connections: number;
  drops: number;
  late: number;
  /** Bytes delivered after their sender was gone. */
  lateBytes: number;
}

export class CuttingProxy implements AsyncDisposable {
  readonly counters: ProxyCounters = { connections: 0, drops: 0, late: 0, lateBytes: 0 };
  readonly #target: Endpoint;
  readonly #server: Server;
  readonly #pipes = new Set<Pipe>();
  #endpoint: Endpoint;

  private constructor(target: Endpoint) {
    this.#target = target;
    this.#endpoint = target;
    this.#server = createServer({ allowHalfOpen: true }, (client) => this.#accept(client));
  }

  /** Listens on a free loopback port and passes every connection on to `target`. */
  static async start(target: Endpoint): Promise<CuttingProxy> {
    const proxy = new CuttingProxy(target);
    const server = proxy.#server;
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    proxy.#endpoint = { host: '127.0.0.1', port: address.port };
    return proxy;
  }

  get endpoint(): Endpoint {
    return this.#endpoint;
  }

  /** Connections that pass bytes at this moment, oldest first. */
  get live(): number {
    return this.#passing.length;
  }

  /** Places a cut on the `index`-th live connection. False when there is none, or it has one already. */
  arm(cut: Cut, index = 0): boolean {
    return this.#passing.filter((pipe) => !pipe.armed)[index]?.arm(cut) ?? false;
  }

  /** Takes back the cuts that have not happened yet, and forgets what was to be delivered late. */
  heal(): void {
    for (const pipe of this.#pipes) pipe.heal();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const pipe of this.#pipes) pipe.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  get #passing(): Pipe[] {
    return [...this.#pipes].filter((pipe) => pipe.passing);
  }

  #accept(client: Socket): void {
    this.counters.connections++;
    const pipe = new Pipe(client, this.#target, this.counters, () => this.#pipes.delete(pipe));
    this.#pipes.add(pipe);
  }
}

/** One connection through the proxy: `passing`, then perhaps `held`, then `over`. */
class Pipe {
  readonly #client: Socket;
  readonly #upstream: Socket;
  readonly #counters: ProxyCounters;
  readonly #onOver: () => void;
  #state: 'passing' | 'held' | 'over' = 'passing';
  #cut: Cut | undefined;
  /** Bytes that may still pass before the cut. */
  #left = 0;
  readonly #held: Buffer[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(client: Socket, target: Endpoint, counters: ProxyCounters, onOver: () => void) {
    this.#client = client;
    this.#upstream = connect({ host: target.host, port: target.port, allowHalfOpen: true });
    this.#counters = counters;
    this.#onOver = onOver;
    this.#wire('request', client, this.#upstream);
    this.#wire('reply', this.#upstream, client);
  }

  get passing(): boolean {
    return this.#state === 'passing';
  }

  get armed(): boolean {
    return this.#cut !== undefined;
  }

  arm(cut: Cut): boolean {
    this.#cut = cut;
    this.#left = cut.afterBytes;
    return true;
  }

  heal(): void {
    this.#cut = undefined;
    if (this.#state === 'held') this.destroy();
  }

  destroy(): void {
    clearTimeout(this.#timer);
    this.#client.resetAndDestroy();
    this.#upstream.resetAndDestroy();
    this.#over();
  }

  #wire(direction: Direction, from: Socket, to: Socket): void {
    from.setNoDelay(true);
    from.on('error', () => undefined);
    from.on('data', (chunk: Buffer) => this.#pass(direction, chunk, from, to));
    from.on('end', () => {
      if (this.#state === 'passing') to.end();
    });
    from.on('close', () => this.#onClose(from, to));
  }

  #onClose(from: Socket, to: Socket): void {
    // A client that was killed while its bytes are held: they are on their way all the same.
    if (this.#state === 'held' && from === this.#client) return;
    clearTimeout(this.#timer);
    to.destroySoon();
    this.#over();
  }

  #pass(direction: Direction, chunk: Buffer, from: Socket, to: Socket): void {
    if (this.#state === 'held') {
      if (direction === 'request') this.#held.push(chunk);
      return;
    }
    if (this.#state === 'over') return;
    const cut = this.#cut;
    const cutHere = cut !== undefined && (cut.kind === 'late' ? 'request' : cut.direction) === direction;
    if (!cutHere || chunk.length <= this.#left) {
      if (cutHere) this.#left -= chunk.length;
      if (to.write(chunk)) return;
      from.pause();
      to.once('drain', () => from.resume());
      return;
    }
    if (this.#left > 0) to.write(chunk.subarray(0, this.#left));
    if (cut.kind === 'drop') this.#drop(from, to);
    else this.#hold(cut, chunk.subarray(this.#left));
  }

  #drop(from: Socket, to: Socket): void {
    this.#counters.drops++;
    this.#over();
    from.resetAndDestroy();
    to.destroySoon();
  }

  #hold(cut: Cut & { kind: 'late' }, first: Buffer): void {
    this.#state = 'held';
    this.#held.push(first);
    this.#timer = setTimeout(() => {
      this.#client.resetAndDestroy();
      this.#timer = setTimeout(() => this.#deliverLate(), cut.lateMs);
    }, cut.holdMs);
  }

  #deliverLate(): void {
    const bytes = Buffer.concat(this.#held);
    this.#counters.late++;
    if (!this.#upstream.destroyed) this.#counters.lateBytes += bytes.length;
    this.#upstream.end(bytes);
    this.#over();
  }

  #over(): void {
    this.#state = 'over';
    this.#onOver();
  }
}
