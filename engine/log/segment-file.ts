/** One file of the replication log's disk part. Written once, front to back; no fsync: it lives as long as the process. */
import { open, unlink, type FileHandle } from 'node:fs/promises';

export class SegmentFile {
  readonly #path: string;
  readonly #opening: Promise<FileHandle>;
  #size = 0;
  /** Settles when every write begun so far has ended. */
  #writes: Promise<unknown> = Promise.resolve();

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
    const written = this.#write(chunk, position);
    const before = this.#writes;
    this.#writes = written.catch(() => undefined).then(() => before);
    return { position, written };
  }

  /** Settles when everything appended so far is written, or has failed. */
  async flushed(): Promise<void> {
    await this.#writes;
  }

  async read(position: number, length: number): Promise<Buffer> {
    const handle = await this.#opening;
    const buffer = Buffer.allocUnsafeSlow(length);
    let done = 0;
    while (done < length) {
      const { bytesRead } = await handle.read(buffer, done, length - done, position + done);
      if (bytesRead === 0)
        throw new Error(`log segment ${this.#path} is shorter than what was written to it`);
      done += bytesRead;
    }
    return buffer;
  }

  /** Nobody will read it any more: closes and deletes it as soon as its last write is through. */
  async remove(): Promise<void> {
    await this.#writes;
    const handle = await this.#opening.catch(() => undefined);
    if (handle === undefined) return;
    await handle.close();
    await unlink(this.#path);
  }

  async #write(chunk: Buffer, position: number): Promise<void> {
    const handle = await this.#opening;
    let done = 0;
    while (done < chunk.length) {
      done += (await handle.write(chunk, done, chunk.length - done, position + done)).bytesWritten;
    }
  }
}
