/** One connection through a gate: a flow in each direction, and the ways it can end. */
import { connect, type Socket } from 'node:net';
import { Flow, type FlowHost } from './flow.ts';
import type { Stream, Toxic } from './toxic.ts';

export interface PassageHost extends FlowHost {
  /** All toxics, for what concerns connections and not bytes. */
  readonly all: Iterable<Toxic>;
  readonly swallows: boolean;
  onOver(passage: Passage): void;
}

export class Passage {
  readonly #client: Socket;
  /** None while nobody answers (a blackhole). */
  readonly #server: Socket | undefined;
  readonly #up: Flow;
  readonly #down: Flow | undefined;
  readonly #host: PassageHost;
  readonly #timers = new Map<string, NodeJS.Timeout>();
  #isOver = false;
  /** One side has gone, and the other one was not told. */
  #hidesEnd = false;

  constructor(host: PassageHost, client: Socket, server: { host: string; port: number }) {
    this.#host = host;
    this.#client = client;
    this.#server = host.swallows ? undefined : connect({ ...server, allowHalfOpen: true });
    this.#up = new Flow(host, 'upstream', client, this.#server, () => this.#cut(client, this.#server));
    this.#wire(client, this.#up, this.#server);
    if (this.#server !== undefined) {
      const upstream = this.#server;
      this.#down = new Flow(host, 'downstream', upstream, client, () => this.#cut(upstream, client));
      this.#wire(upstream, this.#down, client);
    }
    for (const toxic of host.all) this.begin(toxic);
  }

  /** Bytes or an end were lost on it, or it leads nowhere: it must not go on as if nothing had been. */
  get tainted(): boolean {
    const isHoled = this.#up.tainted || this.#down?.tainted === true;
    return this.#server === undefined || this.#hidesEnd || isHoled;
  }

  carried(stream: Stream): number {
    return (stream === 'upstream' ? this.#up : this.#down)?.carried ?? 0;
  }

  /** A toxic that ends connections by time begins to count. */
  begin(toxic: Toxic): void {
    if (toxic.kind !== 'reset-peer' && toxic.kind !== 'timeout') return;
    const timer = setTimeout(() => {
      this.#host.effectOf(toxic).ended++;
      this.reset();
    }, toxic.timeoutMs);
    this.#timers.set(toxic.name, timer);
  }

  /** A toxic was taken away. */
  finish(name: string): void {
    clearTimeout(this.#timers.get(name));
    this.#timers.delete(name);
  }

  /** RST on both sides. */
  reset(): void {
    this.#client.resetAndDestroy();
    this.#server?.resetAndDestroy();
    this.#over();
  }

  /** The sender is reset; the receiver gets exactly what has passed, then the end. A reset might overtake it. */
  #cut(from: Socket, to: Socket | undefined): void {
    from.resetAndDestroy();
    to?.destroySoon();
    this.#over();
  }

  #wire(from: Socket, flow: Flow, to: Socket | undefined): void {
    from.setNoDelay(true);
    from.on('error', () => undefined);
    from.on('data', (chunk: Buffer) => flow.push(chunk));
    from.on('end', () => this.#later(flow, () => to?.end()));
    from.on('close', () => this.#onClose(flow, to));
  }

  #onClose(flow: Flow, to: Socket | undefined): void {
    if (this.#isOver) return;
    // A network that drops everything drops the end too: the other side learns of it when the fault is healed.
    if (this.#swallowsEnd(flow.stream)) return;
    // Nobody listens there: a client without a proxy would have been refused, not let in and bid farewell.
    if (this.#server?.bytesRead === 0 && this.#server.errored !== null) return this.reset();
    this.#later(flow, () => {
      to?.destroySoon();
      this.#over();
    });
  }

  /** After what is under way, and as late as a slow close wants it. */
  #later(flow: Flow, then: () => void): void {
    if (this.#swallowsEnd(flow.stream)) return;
    const slow = this.#host.toxics(flow.stream).find((toxic) => toxic.kind === 'slow-close');
    flow.whenEmpty(() => {
      if (slow?.kind !== 'slow-close') return then();
      const effect = this.#host.effectOf(slow);
      effect.ended++;
      this.#timers.set(`close ${flow.stream}`, setTimeout(then, slow.delayMs));
    });
  }

  #swallowsEnd(stream: Stream): boolean {
    const isSwallowed = this.#host
      .toxics(stream)
      .some(({ kind }) => kind === 'half-open' || kind === 'blackhole');
    this.#hidesEnd ||= isSwallowed;
    return isSwallowed;
  }

  #over(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#up.close();
    this.#down?.close();
    this.#host.onOver(this);
  }
}
