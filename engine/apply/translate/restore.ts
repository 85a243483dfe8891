/**
 * RESTORE in the stream: its duration made a time, its payload stamped with a version that the target takes, or the value
 * rebuilt with commands in the same transaction.
 */
import { SyncError } from '../../errors.ts';
import {
  splitDumpPayload,
  writeDumpPayload,
  dumpPayloadLength,
  type DumpPayload,
} from '../../rdb/dump-payload.ts';
import { flavorOfVersion, TYPE } from '../../rdb/format.ts';
import type { CommandFrame } from '../../resp/command-framer.ts';
import type { Argument } from '../../resp/encode.ts';
import type { CommandOutput } from '../rebuild/command-chunk.ts';
import type { Losses } from '../rebuild/losses.ts';
import { mayRestoreModule } from '../rebuild/module-values.ts';
import { payloadForms, REBUILD, type PayloadForms } from '../rebuild/payload-form.ts';
import { Rebuilder } from '../rebuild/rebuilder.ts';
import { readRestore, type RestoreWords } from '../rebuild/restore-words.ts';
import { writeFeatures } from '../rebuild/write-features.ts';
import { CommandWords } from './command-words.ts';
import { FORWARD, instead, type TargetForms, type Translation } from './translation.ts';

/** Options of RESTORE with a value. */
const HINTS = ['IDLETIME', 'FREQ'];

export class RestoreTranslator {
  readonly #forms: TargetForms;
  readonly #byVersion = new Map<number, PayloadForms>();
  readonly #rebuilder: Rebuilder;
  readonly #output = new CollectedCommands();

  constructor(forms: TargetForms, losses: Losses) {
    this.#forms = forms;
    this.#rebuilder = new Rebuilder({ output: this.#output, features: writeFeatures(forms.facts), losses });
  }

  /** `frame` is a RESTORE or RESTORE-ASKING. */
  translate(frame: CommandFrame): Translation {
    const restore = readRestore(frame);
    const payload = restore === undefined ? undefined : trySplit(restore.payload);
    // Not what a source would send: let the target say what it thinks of it.
    if (restore === undefined || payload === undefined) return FORWARD;
    const expireAtMs = this.#deadline(restore);
    const version = this.#stampOf(payload);
    const options = this.#forms.since('5.0');
    const absolute = restore.absolute || restore.ttlMs === 0;
    if (version === payload.version && absolute && options) return FORWARD;
    if (version === REBUILD) return this.#rebuild(restore, payload, expireAtMs);
    return instead(
      ...restoreCommands(restore, payload, { version, expireAtMs, options }, new CommandWords(frame)),
    );
  }

  #deadline({ ttlMs, absolute }: RestoreWords): number {
    if (ttlMs === 0) return -1;
    return absolute ? ttlMs : this.#forms.deadline(ttlMs);
  }

  #stampOf({ type, value, version }: DumpPayload): number {
    const { facts } = this.#forms;
    const forms = this.#byVersion.get(version) ?? payloadForms(version, flavorOfVersion(version), facts);
    this.#byVersion.set(version, forms);
    if (type === TYPE.MODULE_2 && !mayRestoreModule(value, facts)) return REBUILD;
    return forms[type] ?? REBUILD;
  }

  #rebuild({ key }: RestoreWords, { type, value, version }: DumpPayload, expireAtMs: number): Translation {
    const entry = { key, type, value, expireAtMs, idleSeconds: -1, frequency: -1 };
    this.#rebuilder.rebuild(entry, flavorOfVersion(version), 'inline');
    return this.#output.take();
  }
}

/** Targets before 5.0 know neither ABSTTL nor the hints of eviction: there the expiry follows by itself. */
function restoreCommands(
  { key }: RestoreWords,
  { type, value }: DumpPayload,
  { version, expireAtMs, options }: { version: number; expireAtMs: number; options: boolean },
  command: CommandWords,
): Argument[][] {
  const payload = Buffer.allocUnsafe(dumpPayloadLength(value.length));
  writeDumpPayload(type, value, version, payload, 0);
  if (!options) {
    const restore: Argument[] = ['RESTORE', key, 0, payload, 'REPLACE'];
    return expireAtMs < 0 ? [restore] : [restore, ['PEXPIREAT', key, expireAtMs]];
  }
  const hints = HINTS.flatMap((name): Argument[] => {
    const at = command.find(name, 4);
    return at === -1 ? [] : [name, command.at(at + 1)];
  });
  const ttl = expireAtMs < 0 ? [] : ['ABSTTL'];
  return [['RESTORE', key, Math.max(0, expireAtMs), payload, 'REPLACE', ...ttl, ...hints]];
}

function trySplit(payload: Buffer): DumpPayload | undefined {
  try {
    return splitDumpPayload(payload);
  } catch (error) {
    if (error instanceof SyncError) return undefined;
    throw error;
  }
}

class CollectedCommands implements CommandOutput {
  #pieces: Buffer[] = [];
  #count = 0;

  write(bytes: Uint8Array, start: number, end: number): void {
    this.#pieces.push(Buffer.from(bytes.subarray(start, end)));
  }

  endCommand(): void {
    this.#count++;
  }

  take(): Translation {
    const translation: Translation = {
      kind: 'encoded',
      bytes: Buffer.concat(this.#pieces),
      count: this.#count,
    };
    this.#pieces = [];
    this.#count = 0;
    return translation;
  }
}
