/** Hands keys to the handler: whole, or in parts. Keeps the attributes that were announced for the next key. */
import type { LocatedBytes, RawEntry, SnapshotHandler } from './entry.ts';
import { moduleName, TYPE } from './format.ts';
import { plainStringStart, readLength64, readString } from './length.ts';
import type { Fault } from './value-skipper.ts';

const NOTHING = Buffer.alloc(0);

export class EntryEmitter {
  /** The one entry object that the handler gets, again and again. */
  readonly entry: RawEntry = {
    database: 0,
    key: NOTHING,
    type: 0,
    value: NOTHING,
    expireAtMs: -1,
    idleSeconds: -1,
    frequency: -1,
  };
  readonly #key: LocatedBytes = { bytes: NOTHING, start: 0, end: 0 };
  readonly #value: LocatedBytes = { bytes: NOTHING, start: 0, end: 0 };
  readonly #handler: SnapshotHandler;
  readonly #fault: Fault;

  constructor(handler: SnapshotHandler, fault: Fault) {
    this.#handler = handler;
    this.#fault = fault;
  }

  /** Key string `bytes[keyAt, valueAt)`, value `bytes[valueAt, valueEnd)`. */
  emit(bytes: Buffer, type: number, keyAt: number, valueAt: number, valueEnd: number): void {
    if (this.#handler.located !== undefined) {
      this.#locate(bytes, type, keyAt, valueAt, valueEnd);
      this.#handler.located(this.entry, this.#key, this.#value);
    } else {
      this.#fill(bytes, type, keyAt, valueAt, valueEnd);
      if (type === TYPE.MODULE_2) this.#announceModule(bytes, valueAt);
      this.#handler.entry(this.entry);
    }
    this.#forgetAttributes();
  }

  /** Announces a value that will come in parts; its first bytes stand at `bytes[valueAt]`. */
  startParts(bytes: Buffer, type: number, keyAt: number, valueAt: number): void {
    this.#fill(bytes, type, keyAt, valueAt, valueAt);
    if (type === TYPE.MODULE_2) this.#announceModule(bytes, valueAt);
    this.#handler.largeStart?.(this.entry);
  }

  part(bytes: Buffer, start: number, end: number): void {
    if (end > start) this.#handler.largePart?.(bytes.subarray(start, end));
  }

  endParts(): void {
    this.#handler.largeEnd?.();
    this.#forgetAttributes();
  }

  #fill(bytes: Buffer, type: number, keyAt: number, valueAt: number, valueEnd: number): void {
    const { entry } = this;
    const key = readString(bytes, keyAt, valueAt);
    if (key === undefined) this.#fault('a key does not decompress', keyAt);
    entry.key = key;
    entry.type = type;
    entry.value = bytes.subarray(valueAt, valueEnd);
  }

  #locate(bytes: Buffer, type: number, keyAt: number, valueAt: number, valueEnd: number): void {
    this.entry.type = type;
    const value = this.#value;
    value.bytes = bytes;
    value.start = valueAt;
    value.end = valueEnd;
    const key = this.#key;
    const start = plainStringStart(bytes, keyAt, valueAt);
    if (start >= 0) {
      key.bytes = bytes;
      key.start = start;
      key.end = valueAt;
      return;
    }
    const content = readString(bytes, keyAt, valueAt);
    if (content === undefined) this.#fault('a key does not decompress', keyAt);
    key.bytes = content;
    key.start = 0;
    key.end = content.length;
  }

  #announceModule(bytes: Buffer, valueAt: number): void {
    const { database, key } = this.entry;
    this.#handler.moduleValue?.(database, key, moduleName(readLength64(bytes, valueAt)));
  }

  /** Expiry, idle time and frequency are announced for one key only. */
  #forgetAttributes(): void {
    this.entry.expireAtMs = -1;
    this.entry.idleSeconds = -1;
    this.entry.frequency = -1;
  }
}
