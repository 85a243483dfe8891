/** What was done and what happened, one JSON line each, in the evidence folder; and the problems found on the way. */
import { appendFileSync } from 'node:fs';

const PROBLEMS_MAX = 50;

export class History {
  readonly #file: string;
  readonly #problems: string[] = [];
  #problemCount = 0;

  constructor(file: string) {
    this.#file = file;
  }

  /** Problems worded, the first ones only. */
  get problems(): readonly string[] {
    return this.#problems;
  }

  get problemCount(): number {
    return this.#problemCount;
  }

  /** On disk at once: what comes next may end us. */
  note(what: string, fields: Record<string, unknown> = {}): void {
    const line = { at: new Date().toISOString(), what, ...fields };
    appendFileSync(this.#file, `${JSON.stringify(line, (_, value: unknown) => plain(value))}\n`);
  }

  /** Something that must not happen: the run fails. */
  problem(text: string, fields: Record<string, unknown> = {}): void {
    this.note('PROBLEM', { text, ...fields });
    this.#problemCount++;
    if (this.#problems.length < PROBLEMS_MAX) this.#problems.push(text);
  }
}

function plain(value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}
