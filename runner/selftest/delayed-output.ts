/** Writes to a socket in order, with pauses where somebody asked for them. */
import type { Socket } from 'node:net';
import type { StreamOutput } from './misbehaviour.ts';

export class DelayedOutput implements StreamOutput {
  readonly #socket: Socket;
  readonly #queue: (Buffer | number | 'cut')[] = [];
  #isWaiting = false;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  send(bytes: Buffer): void {
    if (bytes.length > 0) this.#add(bytes);
  }

  hold(ms: number): void {
    this.#add(ms);
  }

  cut(): void {
    this.#add('cut');
  }

  #add(item: Buffer | number | 'cut'): void {
    this.#queue.push(item);
    if (!this.#isWaiting) this.#flush();
  }

  #flush(): void {
    this.#isWaiting = false;
    for (let item = this.#queue.shift(); item !== undefined; item = this.#queue.shift()) {
      if (item === 'cut') this.#socket.destroy();
      else if (typeof item === 'number') {
        this.#isWaiting = true;
        setTimeout(() => this.#flush(), item);
        return;
      } else if (!this.#socket.destroyed) this.#socket.write(item);
    }
  }
}
