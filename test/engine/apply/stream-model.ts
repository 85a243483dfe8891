/**
 * What an envelope does, said by a model: a server that knows MULTI, SELECT, SET, APPEND, DEL, FLUSHDB, FLUSHALL, SWAPDB and
 * HSET (as a plain write of its words), so that two ways of cutting the same stream can be compared by their effect.
 */
import type { Envelope } from '../../../engine/apply/envelope.ts';
import { CommandFramer } from '../../../engine/resp/command-framer.ts';

/** The commands in encoded bytes, each as its words. */
export function wordsOf(bytes: Buffer): string[][] {
  const commands: string[][] = [];
  const framer = new CommandFramer(({ buffer, argc, argStart, argEnd }) => {
    commands.push(
      Array.from({ length: argc }, (_, index) => buffer.toString('latin1', argStart[index], argEnd[index])),
    );
  });
  framer.push(bytes);
  if (framer.pendingBytes > 0) throw new Error('half a command');
  return commands;
}

/** The commands in an envelope as lines, its fixed beginning (MULTI, HSET checkpoint) checked and left out. */
export function bodyOf(envelope: Envelope): string[] {
  const commands = wordsOf(envelope.bytes);
  const [multi, checkpoint, ...body] = commands;
  if (multi?.join(' ') !== 'MULTI') throw new Error(`begins with ${multi?.join(' ')}`);
  if (checkpoint?.[0] !== 'HSET') throw new Error(`its second command is ${checkpoint?.join(' ')}`);
  if (commands.length !== envelope.queued + 1)
    throw new Error(`${commands.length} commands, ${envelope.queued} announced`);
  return body.map((words) => words.join(' '));
}

export class ServerModel {
  readonly databases = new Map<number, Map<string, string>>();
  #selected = 0;

  /** Executes encoded commands; MULTI and EXEC only have to be balanced by whoever sends them. */
  execute(bytes: Buffer): void {
    for (const words of wordsOf(bytes)) this.#command(words);
  }

  get selected(): number {
    return this.#selected;
  }

  /** Everything held, `db key` → value, without keys that begin with this. */
  contents(without: string): Record<string, string> {
    const all: Record<string, string> = {};
    for (const [database, keys] of this.databases) {
      for (const [key, value] of keys) if (!key.startsWith(without)) all[`${database} ${key}`] = value;
    }
    return all;
  }

  get(database: number, key: string): string | undefined {
    return this.databases.get(database)?.get(key);
  }

  #command([name = '', key = '', ...rest]: string[]): void {
    const keys = this.#database(this.#selected);
    switch (name.toUpperCase()) {
      case 'MULTI':
      case 'EXEC':
        return;
      case 'SELECT':
        this.#selected = Number(key);
        return;
      case 'SET':
      case 'HSET':
        keys.set(key, rest.join(' '));
        return;
      case 'APPEND':
        keys.set(key, (keys.get(key) ?? '') + rest.join(' '));
        return;
      case 'DEL':
        for (const each of [key, ...rest]) keys.delete(each);
        return;
      case 'FLUSHDB':
        keys.clear();
        return;
      case 'FLUSHALL':
        this.databases.clear();
        return;
      case 'SWAPDB':
        return this.#swap(Number(key), Number(rest[0]));
      default:
        throw new Error(`the model does not know ${name}`);
    }
  }

  #database(number: number): Map<string, string> {
    const found = this.databases.get(number) ?? new Map<string, string>();
    this.databases.set(number, found);
    return found;
  }

  #swap(one: number, other: number): void {
    const [left, right] = [this.#database(one), this.#database(other)];
    this.databases.set(one, right);
    this.databases.set(other, left);
  }
}
