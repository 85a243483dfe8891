/**
 * The way from one replicator to one instance: a door (a loopback port) for each of its servers, and the toxics and watches
 * that work on every connection through any of them.
 */
import { createServer, type Server } from 'node:net';
import type { ByteWatch, GateCounters, GateStatus } from './messages.ts';
import { Passage, type PassageHost } from './passage.ts';
import { isDropping, noEffect, type Stream, type Toxic, type ToxicEffect } from './toxic.ts';

interface Watch extends ByteWatch {
  goOn?: () => void;
}

export class Gate implements PassageHost {
  readonly #doors: Server[] = [];
  readonly #passages = new Set<Passage>();
  readonly #toxics = new Map<string, Toxic>();
  readonly #byStream: Record<Stream, Toxic[]> = { upstream: [], downstream: [] };
  readonly #effects = new Map<string, ToxicEffect>();
  readonly #claims = new Map<string, number>();
  #watches: Watch[] = [];
  readonly #counters: GateCounters = { connections: 0, live: 0, upstreamBytes: 0, downstreamBytes: 0 };
  readonly #onReached: (watch: string) => void;

  constructor(onReached: (watch: string) => void) {
    this.#onReached = onReached;
  }

  /** @returns the loopback port that leads to the server. */
  async open(server: { host: string; port: number }): Promise<number> {
    const door = createServer({ allowHalfOpen: true }, (client) => {
      this.#counters.connections++;
      this.#passages.add(new Passage(this, client, server));
    });
    this.#doors.push(door);
    await new Promise<void>((resolve, reject) => {
      door.once('error', reject);
      door.listen(0, '127.0.0.1', resolve);
    });
    const address = door.address();
    if (address === null || typeof address === 'string') throw new Error('the system gave no port');
    return address.port;
  }

  add(toxic: Toxic): void {
    this.#toxics.set(toxic.name, toxic);
    this.#effects.set(toxic.name, noEffect());
    this.#sort();
    for (const passage of this.#passages) passage.begin(toxic);
  }

  /** Connections that have lost bytes are reset: gone on, they would be streams with holes. Idempotent. */
  remove(name: string): void {
    const toxic = this.#toxics.get(name);
    if (toxic === undefined) return;
    this.#toxics.delete(name);
    this.#sort();
    for (const passage of this.#passages) {
      passage.finish(name);
      if (isDropping(toxic) && passage.tainted) passage.reset();
    }
  }

  reset(): void {
    for (const passage of this.#passages) passage.reset();
  }

  watch(watch: ByteWatch): void {
    this.#watches.push({ ...watch });
  }

  /** Idempotent. */
  release(name: string): void {
    const held = this.#watches.find((watch) => watch.name === name);
    this.#watches = this.#watches.filter((watch) => watch !== held);
    held?.goOn?.();
  }

  status(): GateStatus {
    return {
      counters: { ...this.#counters, live: this.#passages.size },
      effects: Object.fromEntries(this.#effects),
    };
  }

  close(): void {
    this.reset();
    for (const door of this.#doors) door.close();
  }

  get all(): Iterable<Toxic> {
    return this.#toxics.values();
  }

  get swallows(): boolean {
    return [...this.#toxics.values()].some(({ kind }) => kind === 'blackhole');
  }

  toxics(stream: Stream): readonly Toxic[] {
    return this.#byStream[stream];
  }

  effectOf(toxic: Toxic): ToxicEffect {
    return this.#effects.get(toxic.name) ?? noEffect();
  }

  bytesUntilWatch(stream: Stream, carried: number): number {
    if (this.#watches.length === 0) return Infinity;
    const places = this.#watches
      .filter((watch) => watch.stream === stream && watch.goOn === undefined && watch.bytes >= carried)
      .map((watch) => watch.bytes - carried);
    return Math.min(Infinity, ...places);
  }

  reached(stream: Stream, carried: number, goOn: () => void): void {
    const watch = this.#watches.find(
      (each) => each.stream === stream && each.bytes === carried && each.goOn === undefined,
    );
    if (watch === undefined) return goOn();
    watch.goOn = goOn;
    this.#onReached(watch.name);
  }

  count(stream: Stream, bytes: number): void {
    if (stream === 'upstream') this.#counters.upstreamBytes += bytes;
    else this.#counters.downstreamBytes += bytes;
  }

  claim(toxic: Toxic, times: number): boolean {
    const claimed = this.#claims.get(toxic.name) ?? 0;
    if (claimed >= times) return false;
    this.#claims.set(toxic.name, claimed + 1);
    return true;
  }

  isBusiest(stream: Stream, carried: number): boolean {
    return [...this.#passages].every((passage) => passage.carried(stream) <= carried);
  }

  onOver(passage: Passage): void {
    this.#passages.delete(passage);
  }

  #sort(): void {
    const toxics = [...this.#toxics.values()];
    this.#byStream.upstream = toxics.filter(({ streams }) => streams.includes('upstream'));
    this.#byStream.downstream = toxics.filter(({ streams }) => streams.includes('downstream'));
  }
}
