/** One file of the replication log's disk part. Written once, front to back; no fsync: it lives as long as the process. */
import { open, unlink, type FileHandle } from 'node:fs/promises';

export class SegmentFile {
  readonly #path: string;
  readonly #opening: Promise<FileHandle>;
  #size = 0;
  #writing = 0;
  #unused = false;
  #closed: Promise<void> | undefined;

  /** @param folderReady settles when the file's folder exists. */
  constructor(path: string, folderReady: Promise<unknown>) {
    this.#path = path;
    this.#opening = folderReady.then(() => open(path, 'wx+', 0o600));
    // The failure reaches whoever appends or reads; without a listener here it would also be "unhandled".
    this.#opening.catch(() => undefined);
  }

  /** Bytes reserved so far. */
  get size(): number {
    return this.#size;
  }

  /** Reserves a place at the end now, writes in the background. */
  append(chunk: Buffer): { position: number; written: Promise<void> } {
    const position = this.#size;
    this.#size += chunk.length;
    this.#writing++;
    return { position, written: this.#write(chunk, position) };
  }

  async read(position: number, length: number): Promise<Buffer> {
    const handle = await this.#opening;
    const buffer = Buffer.allocUnsafe(length);
    let done = 0;
    while (done < length) {
      const { bytesRead } = await handle.read(buffer, done, length - done, position + done);
      if (bytesRead === 0) throw new Error(`log segment ${this.#path} is shorter than what was written to it`);
      done += bytesRead;
    }
    return buffer;
  }

  /** Nobody will read it any more: closes and deletes it as soon as its last write is through. */
  async remove(): Promise<void> {
    this.#unused = true;
    if (this.#writing === 0) await this.#close();
  }

  async #write(chunk: Buffer, position: number): Promise<void> {
    try {
      const handle = await this.#opening;
      let done = 0;
      while (done < chunk.length) {
        done += (await handle.write(chunk, done, chunk.length - done, position + done)).bytesWritten;
      }
    } finally {
      this.#writing--;
      if (this.#unused && this.#writing === 0) await this.#close();
    }
  }

  #close(): Promise<void> {
    this.#closed ??= (async () => {
      const handle = await this.#opening;
      await handle.close();
      await unlink(this.#path);
    })();
    return this.#closed;
  }
}
