/** Command names, in any case, to something. Looked up in the stream's bytes without making a string of them. */

interface Slot<T> {
  name: Buffer;
  value: T;
}

const SIZE = 2048;

export class NameTable<T> {
  readonly #slots: (Slot<T>[] | undefined)[] = Array.from({ length: SIZE });

  /** `name` is upper-case. A name that is there already gets the new value. */
  set(name: string, value: T): void {
    const bytes = Buffer.from(name, 'latin1');
    const slots = (this.#slots[hash(bytes, 0, bytes.length)] ??= []);
    const there = slots.find((slot) => slot.name.equals(bytes));
    if (there === undefined) slots.push({ name: bytes, value });
    else there.value = value;
  }

  /** What the name at `buffer[start, end)` stands for. */
  get(buffer: Buffer, start: number, end: number): T | undefined {
    const slots = this.#slots[hash(buffer, start, end)];
    if (slots === undefined) return undefined;
    for (const slot of slots) if (equalsFolded(slot.name, buffer, start, end)) return slot.value;
    return undefined;
  }
}

/** Folds the case of letters (and of some other bytes, which only makes a few more collisions). */
function hash(buffer: Buffer, start: number, end: number): number {
  let value = end - start;
  for (let at = start; at < end; at++) value = (value * 31 + (buffer[at]! & 0xdf)) | 0;
  return value & (SIZE - 1);
}

function equalsFolded(name: Buffer, buffer: Buffer, start: number, end: number): boolean {
  if (end - start !== name.length) return false;
  for (let index = 0; index < name.length; index++) {
    const byte = buffer[start + index]!;
    const upper = byte >= 97 && byte <= 122 ? byte - 32 : byte;
    if (upper !== name[index]) return false;
  }
  return true;
}
