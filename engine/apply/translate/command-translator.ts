/**
 * Stream commands in forms that this target takes. Most are: then one look-up by name is all that is done.
 *
 *   name known to the target, no rule ─▶ forward
 *   a rule that concerns this target  ─▶ forward, other commands, nothing, or unsupported
 *   name unknown to the target        ─▶ unsupported
 */
import type { CommandFrame } from '../../resp/command-framer.ts';
import type { Argument } from '../../resp/encode.ts';
import type { Losses } from '../rebuild/losses.ts';
import type { TargetFacts } from '../target-facts.ts';
import { CommandWords, MissingWord } from './command-words.ts';
import { FUNCTION_RULES } from './functions.ts';
import { HASH_FIELD_RULES } from './hash-fields.ts';
import { KEY_RULES } from './keys.ts';
import { LIST_RULES } from './lists.ts';
import { NameTable } from './name-table.ts';
import { RestoreTranslator } from './restore.ts';
import { translateSlotsRestore, translateSlotsRestoreAsync } from './slots-restore.ts';
import { SORTED_SET_RULES } from './sorted-sets.ts';
import { STREAM_RULES } from './streams.ts';
import { STRING_RULES } from './strings.ts';
import { FORWARD, TargetForms, type Rule, type Translation } from './translation.ts';

/** Every rule, by upper-case command name. */
export const RULES: Readonly<Record<string, Rule>> = {
  ...STRING_RULES,
  ...KEY_RULES,
  ...LIST_RULES,
  ...SORTED_SET_RULES,
  ...STREAM_RULES,
  ...HASH_FIELD_RULES,
  ...FUNCTION_RULES,
};

/** Names that come under another one at the target, or never come there. */
const REPLACED = ['RESTORE', 'RESTORE-ASKING', 'SETNX', 'HSETNX', 'MSETNX', 'RENAMENX'];

const NO_SCRIPTS: Translation = { kind: 'unsupported', needs: 'a later version, or EVAL on the target' };

interface Row {
  rule: Rule | undefined;
  /** The target has a command of this name. */
  known: boolean;
}

export interface CommandTranslatorOptions {
  facts: TargetFacts;
  losses: Losses;
  /** When the command at hand was executed, ms, by the source's clock. */
  sourceTimeMs: () => number;
}

export class CommandTranslator {
  readonly #forms: TargetForms;
  readonly #restore: RestoreTranslator;
  readonly #table = new NameTable<Row>();
  /** What a name that is not in the table means. */
  readonly #others: Translation;

  constructor({ facts, losses, sourceTimeMs }: CommandTranslatorOptions) {
    this.#forms = new TargetForms(facts, sourceTimeMs);
    this.#restore = new RestoreTranslator(this.#forms, losses);
    this.#others = facts.commands === undefined ? FORWARD : this.#unknown;
    for (const name of facts.commands ?? []) this.#table.set(name, { rule: undefined, known: true });
    for (const name of REPLACED) this.#table.set(name, { rule: undefined, known: true });
    for (const [name, rule] of Object.entries(RULES)) {
      if (rule.concerns?.(this.#forms) === false) continue;
      this.#table.set(name, { rule, known: facts.commands?.has(name) ?? true });
    }
  }

  /** What becomes of a command that is data (not PING, MULTI, SELECT …). */
  translate(frame: CommandFrame): Translation {
    const { buffer, argStart, argEnd } = frame;
    const row = this.#table.get(buffer, argStart[0]!, argEnd[0]!);
    if (row === undefined) return this.#others;
    const { rule, known } = row;
    const translation =
      rule === undefined || frame.argc < (rule.fromWords ?? 0) ? FORWARD : this.#apply(rule, frame);
    if (translation.kind === 'forward') return known ? FORWARD : this.#unknown;
    return translation.kind === 'commands' && !this.#mayRun(translation.commands) ? NO_SCRIPTS : translation;
  }

  /** As `translate`, for RESTORE and RESTORE-ASKING. */
  translateRestore(frame: CommandFrame): Translation {
    try {
      const translation = this.#restore.translate(frame);
      return isSenseless(translation) ? FORWARD : translation;
    } catch (error) {
      return forwardOrThrow(error);
    }
  }

  /** As `translate`, for what a Codis group gets from another one. */
  translateSlots(frame: CommandFrame, treatment: 'slotsrestore' | 'slotsrestore-async'): Translation {
    const restore = (inner: CommandFrame): Translation => this.#restore.translate(inner);
    try {
      return treatment === 'slotsrestore'
        ? translateSlotsRestore(frame, restore)
        : translateSlotsRestoreAsync(frame, this.#forms, restore);
    } catch (error) {
      return forwardOrThrow(error);
    }
  }

  #apply(rule: Rule, frame: CommandFrame): Translation {
    try {
      const translation = rule.translate(new CommandWords(frame), this.#forms);
      return isSenseless(translation) ? FORWARD : translation;
    } catch (error) {
      return forwardOrThrow(error);
    }
  }

  #mayRun(commands: readonly (readonly Argument[])[]): boolean {
    return (
      !commands.some(([name]) => name === 'EVAL') || this.#forms.has('EVAL', { redis: '2.6', valkey: '7.2' })
    );
  }

  get #unknown(): Translation {
    return { kind: 'unsupported', needs: `the target (${this.#forms.facts.server}) does not know it` };
  }
}

/** What to make of a rule that failed: the command itself is sent, and the target says what is wrong with it. */
function forwardOrThrow(error: unknown): Translation {
  if (error instanceof MissingWord) return FORWARD;
  throw error;
}

/**
 * No source sends a command with words missing, or without a number where one belongs: it was damaged on the way. Nothing is
 * made of it.
 */
function isSenseless(translation: Translation): boolean {
  if (translation.kind !== 'commands') return false;
  for (const words of translation.commands)
    for (const word of words) if (typeof word === 'number' && !Number.isFinite(word)) return true;
  return false;
}
