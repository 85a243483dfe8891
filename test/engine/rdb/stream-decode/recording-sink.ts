/** Writes down what a sink is told, in one text form however it was told. Test support only. */
import type {
  ElementSink,
  PendingEntry,
  StreamCounters,
} from '../../../../engine/rdb/stream-decode/element-sink.ts';

export class RecordingSink implements ElementSink {
  readonly events: string[] = [];
  /** What was told since then; a paused decoder must have told something. */
  #string: Buffer[] | undefined;
  #group = '';
  readonly #consumers: string[] = [];
  readonly #pending: string[] = [];

  stringStart(totalBytes: number): void {
    this.events.push(`string of ${totalBytes}`);
    this.#string = [];
  }

  stringPart(bytes: Buffer): void {
    this.#string?.push(Buffer.from(bytes));
  }

  listElement(bytes: Buffer): void {
    this.events.push(`element ${text(bytes)}`);
  }

  setMember(bytes: Buffer): void {
    this.events.push(`member ${text(bytes)}`);
  }

  scored(member: Buffer, score: number): void {
    this.events.push(`${text(member)} = ${Object.is(score, -0) ? '-0' : score}`);
  }

  field(field: Buffer, value: Buffer, expireAtMs: number): void {
    this.events.push(`${text(field)}: ${text(value)} until ${expireAtMs}`);
  }

  entry(id: string, fields: readonly Buffer[]): void {
    this.events.push(`${id} ${fields.map(text).join(' ')}`);
  }

  deletedEntry(): void {
    // Only a decoded value tells it.
  }

  counters({ length, lastId, maxDeletedId, entriesAdded }: StreamCounters): void {
    this.events.push(`counters ${length} ${lastId} ${maxDeletedId} ${entriesAdded}`);
  }

  group(name: Buffer, lastId: string, entriesRead: number): void {
    this.#group = text(name);
    this.events.push(`group ${this.#group} ${lastId} ${entriesRead}`);
  }

  consumer(name: Buffer): void {
    this.#consumers.push(`${this.#group} has ${text(name)}`);
  }

  pending(entry: PendingEntry): void {
    const { id, consumer, deliveryTimeMs, deliveryCount } = entry;
    this.#pending.push(`${this.#group} ${id} ${text(consumer)} ${deliveryTimeMs} ${deliveryCount}`);
  }

  /** Everything; consumers and pending entries sorted, because their order is free. */
  get all(): string[] {
    const string = this.#string === undefined ? [] : [`= ${text(Buffer.concat(this.#string))}`];
    return [...this.events, ...string, ...this.#consumers.toSorted(), ...this.#pending.toSorted()];
  }
}

function text(bytes: Buffer): string {
  return bytes.toString('latin1');
}
