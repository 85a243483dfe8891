/**
 * A value as commands instead of a payload, for a target that does not take the payload.
 *
 *   SET key value [PXAT ms]                                            a small string
 *   MULTI · DEL key · RPUSH … / SADD … / … · [PEXPIREAT key ms] · EXEC  everything else that is small
 *
 * Both replace what is there at once and may be repeated. Values too large for one transaction are for `LargeValue`.
 */
import { decodeValue } from '../../rdb/decode.ts';
import type { RawEntry } from '../../rdb/entry.ts';
import { STRING_ENCODING, TYPE, type Flavor } from '../../rdb/format.ts';
import { lengthEnd, readLength } from '../../rdb/length.ts';
import type { Value } from '../../rdb/value.ts';
import type { Argument } from '../../resp/encode.ts';
import { writeCommand, type CommandOutput } from './command-chunk.ts';
import { feedValue } from './feed-value.ts';
import type { LossKind, Losses } from './losses.ts';
import { ValueWriter } from './value-writer.ts';
import type { WriteFeatures } from './write-features.ts';

/** A value of more serialized (or, for a compressed string, real) bytes is built under a temporary key. */
export const SMALL_VALUE_BYTES = 256 * 1024;

const MULTI = Buffer.from('*1\r\n$5\r\nMULTI\r\n');
const EXEC = Buffer.from('*1\r\n$4\r\nEXEC\r\n');

export interface RebuilderOptions {
  output: CommandOutput;
  features: WriteFeatures;
  losses: Losses;
  /** Where the deadline of a field is to be written. Default: where it is. */
  placeField?: ((key: Buffer, field: Buffer, deadlineMs: number) => number) | undefined;
}

/** What `rebuild` needs of an entry. */
export type RebuildEntry = Pick<
  RawEntry,
  'key' | 'type' | 'value' | 'expireAtMs' | 'idleSeconds' | 'frequency'
>;

export class Rebuilder {
  readonly #options: RebuilderOptions;
  readonly #writer: ValueWriter;
  #key: Buffer = Buffer.alloc(0);

  constructor(options: RebuilderOptions) {
    this.#options = options;
    const onLoss = (kind: LossKind, count: number): void => options.losses.add(kind, this.#key, count);
    this.#writer = new ValueWriter(options.output, options.features, onLoss);
  }

  /**
   * Writes the commands that put this value onto its key, in the database that is selected. False when the target cannot
   * represent it (counted as a loss): then the key is removed, so that no older value stays.
   *
   * @param wrap `transaction`: in a MULTI of its own where that is needed; `inline`: we are inside one already.
   * @throws SyncError SNAPSHOT_CORRUPT when the bytes are not a value of that type.
   */
  rebuild(entry: RebuildEntry, flavor: Flavor, wrap: 'transaction' | 'inline'): boolean {
    this.#key = entry.key;
    const loss = lossOfType(entry.type, this.#options.features);
    if (loss !== undefined) {
      this.#options.losses.add(loss, entry.key);
      writeCommand(this.#options.output, ['DEL', entry.key]);
      return false;
    }
    const value = decodeValue(entry.type, entry.value, flavor);
    if (entry.idleSeconds >= 0 || entry.frequency >= 0) this.#options.losses.add('eviction-hint', entry.key);
    if (value.type === 'string' && value.value.length <= SMALL_VALUE_BYTES) {
      this.#string(entry, value.value, wrap);
    } else {
      this.#elements(entry, value, wrap);
    }
    return true;
  }

  #string({ key, expireAtMs }: RebuildEntry, value: Buffer, wrap: 'transaction' | 'inline'): void {
    const { output, features } = this.#options;
    if (expireAtMs < 0) return writeCommand(output, ['SET', key, value]);
    if (features.setWithDeadline) return writeCommand(output, ['SET', key, value, 'PXAT', expireAtMs]);
    const commands: Argument[][] = [
      ['SET', key, value],
      ['PEXPIREAT', key, expireAtMs],
    ];
    this.#wrapped(wrap, () => {
      for (const command of commands) writeCommand(output, command);
    });
  }

  #elements({ key, expireAtMs }: RebuildEntry, value: Value, wrap: 'transaction' | 'inline'): void {
    const { output, placeField } = this.#options;
    this.#wrapped(wrap, () => {
      writeCommand(output, ['DEL', key]);
      this.#writer.begin(key, {
        replayable: false,
        placeField: placeField && ((field, deadlineMs) => placeField(key, field, deadlineMs)),
      });
      feedValue(value, this.#writer);
      this.#writer.end();
      if (expireAtMs >= 0) writeCommand(output, ['PEXPIREAT', key, expireAtMs]);
    });
  }

  #wrapped(wrap: 'transaction' | 'inline', write: () => void): void {
    const { output } = this.#options;
    if (wrap === 'inline') return write();
    output.write(MULTI, 0, MULTI.length);
    output.endCommand();
    write();
    output.write(EXEC, 0, EXEC.length);
    output.endCommand();
  }
}

const STREAM_TYPES: ReadonlySet<number> = new Set([
  TYPE.STREAM_LISTPACKS,
  TYPE.STREAM_LISTPACKS_2,
  TYPE.STREAM_LISTPACKS_3,
  TYPE.STREAM_LISTPACKS_4,
  TYPE.STREAM_LISTPACKS_5,
]);

/** What is lost when a value of this type has to be rebuilt and no command can; undefined when commands can. */
export function lossOfType(type: number, features: WriteFeatures): LossKind | undefined {
  if (type === TYPE.MODULE_2 || type === TYPE.MODULE_PRE_GA) return 'module';
  return STREAM_TYPES.has(type) && !features.streams ? 'stream-type' : undefined;
}

/** Whether a value's commands are few enough for one transaction; a compressed string counts with its real length. */
export function isSmall(type: number, value: Buffer): boolean {
  if (value.length > SMALL_VALUE_BYTES) return false;
  if (type !== TYPE.STRING || value[0] !== STRING_ENCODING.LZF) return true;
  const lengthAt = lengthEnd(value, 1, value.length);
  return lengthAt < 0 || readLength(value, lengthAt) <= SMALL_VALUE_BYTES;
}
