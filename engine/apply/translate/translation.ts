/**
 * What becomes of a stream command on its way to a target that may be older than the source. A rule looks at one command;
 * `rules.ts` has them all.
 */
import type { Argument } from '../../resp/encode.ts';
import type { LossKind } from '../rebuild/losses.ts';
import { hasCommand, isSince, type Since, type TargetFacts } from '../target-facts.ts';
import type { CommandWords } from './command-words.ts';

export type Translation =
  /** The target takes it as it is. */
  | { kind: 'forward' }
  /** These instead, in the same transaction; `loss` names what they do not carry. */
  | { kind: 'commands'; commands: readonly (readonly Argument[])[]; loss?: LossKind }
  /** As `commands`, already encoded. */
  | { kind: 'encoded'; bytes: Buffer; count: number }
  /** Nothing: the target has nothing to hold it, and the data is the same without. */
  | { kind: 'nothing'; loss?: LossKind }
  /** No command of the target has this effect. `needs` says since when one has. */
  | { kind: 'unsupported'; needs: string };

export const FORWARD: Translation = { kind: 'forward' };

export function instead(...commands: readonly (readonly Argument[])[]): Translation {
  return { kind: 'commands', commands };
}

/** What the rules may ask about the target and the time. */
export class TargetForms {
  readonly facts: TargetFacts;
  readonly #sourceTimeMs: () => number;
  readonly #known = new Map<string, boolean>();

  /** `sourceTimeMs`: when the command at hand was executed, by the source's clock. */
  constructor(facts: TargetFacts, sourceTimeMs: () => number) {
    this.facts = facts;
    this.#sourceTimeMs = sourceTimeMs;
  }

  /** The target has what came with these releases. Valkey began with all of Redis 7.2. */
  since(redis: string, valkey = '7.2'): boolean {
    const key = `${redis}/${valkey}`;
    const known = this.#known.get(key) ?? isSince(this.facts, { redis, valkey });
    this.#known.set(key, known);
    return known;
  }

  /** The target has this command: measured, else by the releases it came with. */
  has(name: string, since: Since): boolean {
    const known = this.#known.get(name) ?? hasCommand(this.facts, name, since);
    this.#known.set(name, known);
    return known;
  }

  /** A time to live that began when the command was executed, as a time. */
  deadline(ttlMs: number): number {
    return Math.round(this.#sourceTimeMs() + ttlMs);
  }
}

export interface Rule {
  /** Fewer words (name included) are always forwarded. */
  fromWords?: number;
  /** False: this target takes every form, the rule is never asked. */
  concerns?: (forms: TargetForms) => boolean;
  translate: (command: CommandWords, forms: TargetForms) => Translation;
}

export function unsupported(redis: string, valkey?: string): Translation {
  return {
    kind: 'unsupported',
    needs: valkey === undefined ? `Redis ${redis}` : `Redis ${redis} or Valkey ${valkey}`,
  };
}
