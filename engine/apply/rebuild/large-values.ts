/**
 * Values too large for one command, built up under a temporary key while they are read, then renamed onto their key:
 * whoever reads the target sees the old value or the new one, never a part.
 *
 *   start ─▶ DEL tmp ─▶ parts: SETRANGE / RPUSH / SADD / … tmp ─▶ end ─▶ all answered? ─▶ RENAME tmp key, PEXPIREAT
 *
 * The reader of a snapshot calls `start`, `part` and `end` synchronously; nothing is decoded before `drain`, which pauses
 * whenever enough is on its way. So a value of 50 million elements costs the memory of a few batches.
 *
 * After a lost connection unanswered batches are sent again: see `ValueWriter` for why that does no harm. RENAME is sent
 * when everything before it is answered, alone: it is never sent again without looking whether it happened.
 */
import { asError, SyncError } from '../../errors.ts';
import { decodeValue } from '../../rdb/decode.ts';
import type { RawEntry } from '../../rdb/entry.ts';
import type { Flavor } from '../../rdb/format.ts';
import { canStreamDecode, ValueDecoder } from '../../rdb/stream-decode/value-decoder.ts';
import type { Argument } from '../../resp/encode.ts';
import { ReplyError, type Reply } from '../../resp/reply.ts';
import type { LinkFinding } from '../finding.ts';
import { printKey, wordRefusal } from '../refusals.ts';
import type { Target } from '../target.ts';
import { writeCommand, type CommandOutput } from './command-chunk.ts';
import { feedValue } from './feed-value.ts';
import type { Losses } from './losses.ts';
import { lossOfType } from './rebuilder.ts';
import { temporaryKey, temporaryKeyInSlot } from './temporary-key.ts';
import { ValueWriter } from './value-writer.ts';
import type { WriteFeatures } from './write-features.ts';

/** The line of batches on their way to the target. */
export interface LargeLine {
  /** Commands written to it go to this database, in batches of their own size. */
  outputFor(database: number): CommandOutput;
  /** As much is on its way as should be. */
  isCrowded(): boolean;
  /** Resolves when it is not. */
  room(): Promise<void>;
  /** Sends what is collected; resolves when everything is answered. */
  empty(): Promise<void>;
  /** Sends a whole value as a payload; false when the target does not take one of this type. */
  restore(entry: RawEntry): boolean;
}

export interface LargeValuesOptions {
  link: string;
  cluster: boolean;
  target: Target;
  line: LargeLine;
  features: WriteFeatures;
  losses: Losses;
  onFinding: (finding: LinkFinding) => void;
  /** A value was built up and is on its key. */
  onBuilt: () => void;
  /** Where the deadline of a field is to be written. Default: where it is. */
  placeField?: ((entry: RawEntry, field: Buffer, deadlineMs: number) => number) | undefined;
  /** A command for database 0 at the beginning of every transaction. */
  mark?: readonly Argument[] | undefined;
  signal: AbortSignal;
}

type Step =
  | { kind: 'start'; entry: RawEntry; flavor: Flavor }
  | { kind: 'part'; bytes: Buffer | undefined }
  | { kind: 'end' };

/** What became of a few commands. */
type Outcome =
  | { kind: 'done' }
  /** RENAME found nothing to rename. */
  | { kind: 'gone' }
  /** Nobody knows whether they were executed. */
  | { kind: 'lost'; error: Error }
  | { kind: 'refused'; error: Error };

/** The value being built. */
interface Building {
  entry: RawEntry;
  flavor: Flavor;
  temporary: Buffer;
  writer: ValueWriter;
  /** Undefined when the value has to be collected and decoded whole. */
  decoder: ValueDecoder | undefined;
  collected: Buffer[];
  /** Why it will not be renamed. */
  refusal: Error | undefined;
  /** Its first commands were answered: from now on the temporary key must be there. */
  begun: boolean;
}

export class LargeValues {
  readonly #options: LargeValuesOptions;
  readonly #steps: Step[] = [];
  #building: Building | undefined;

  constructor(options: LargeValuesOptions) {
    this.#options = options;
  }

  /** There are steps that `drain` has not taken. */
  get waiting(): boolean {
    return this.#steps.length > 0;
  }

  /** The entry is copied; its `value` is not looked at. */
  start(entry: RawEntry, flavor: Flavor): void {
    const copy = { ...entry, key: Buffer.from(entry.key), value: Buffer.alloc(0) };
    this.#steps.push({ kind: 'start', entry: copy, flavor });
  }

  /** The bytes are copied: at once to where they are decoded, when nothing waits before them. */
  part(bytes: Buffer): void {
    const decoder = this.#steps.length === 0 ? this.#building?.decoder : undefined;
    decoder?.push(bytes);
    this.#steps.push({ kind: 'part', bytes: decoder === undefined ? Buffer.from(bytes) : undefined });
  }

  end(): void {
    this.#steps.push({ kind: 'end' });
  }

  /** Whether this is the temporary key that is being built. */
  isBuilding(key: Buffer): boolean {
    return this.#building?.temporary.equals(key) === true;
  }

  /** A command for the temporary key was refused for good: the value stays as it is on the target. */
  refused(error: Error): void {
    if (this.#building !== undefined) this.#building.refusal ??= error;
  }

  /** Takes every step there is. @throws SyncError what stops the link. */
  async drain(): Promise<void> {
    for (let step = this.#steps.shift(); step !== undefined; step = this.#steps.shift()) {
      if (step.kind === 'start') this.#begin(step.entry, step.flavor);
      else if (step.kind === 'part') await this.#take(step.bytes);
      else await this.#finish();
    }
  }

  /**
   * The target was connected anew: is what was built still there?
   *
   * @throws SyncError APPLY_REFUSED when it is not: then other keys may be gone as well.
   */
  async check(call: (...args: (string | number | Buffer)[]) => Promise<Reply>): Promise<void> {
    const building = this.#building;
    if (building === undefined || !building.begun) return;
    await call('SELECT', building.entry.database);
    const found = await call('EXISTS', building.temporary);
    if (found === 0) throw lostWrites(this.#options.target, building.entry.key);
  }

  #begin(entry: RawEntry, flavor: Flavor): void {
    const { link, cluster, line, features, losses, placeField } = this.#options;
    const name = cluster ? temporaryKeyInSlot(link, entry.key) : temporaryKey(link);
    const temporary = Buffer.from(name);
    const output = line.outputFor(entry.database);
    const writer = new ValueWriter(output, features, (kind, count) => losses.add(kind, entry.key, count));
    const loss = lossOfType(entry.type, features);
    const canDecode = loss === undefined && canStreamDecode(entry.type, flavor);
    this.#building = {
      entry,
      flavor,
      temporary,
      writer,
      decoder: canDecode ? new ValueDecoder(entry.type, flavor, writer, () => line.isCrowded()) : undefined,
      collected: [],
      refusal: undefined,
      begun: false,
    };
    writeCommand(output, ['DEL', temporary]);
    writer.begin(temporary, {
      replayable: true,
      placeField: placeField && ((field, deadlineMs) => placeField(entry, field, deadlineMs)),
    });
  }

  /** `bytes` is undefined when the decoder has them. */
  async #take(bytes: Buffer | undefined): Promise<void> {
    const building = this.#building;
    if (building === undefined || building.refusal !== undefined) return;
    const { decoder, collected } = building;
    if (decoder === undefined) {
      if (bytes !== undefined) collected.push(bytes);
      return;
    }
    if (bytes !== undefined) decoder.push(bytes);
    const { line } = this.#options;
    while (decoder.run() === 'paused') {
      if (building.begun) await line.room();
      else await line.empty();
      building.begun = true;
    }
  }

  async #finish(): Promise<void> {
    const building = this.#building;
    if (building === undefined) return;
    const { line, onBuilt } = this.#options;
    const built = building.refusal === undefined && this.#complete(building);
    await line.empty();
    if (built && building.refusal === undefined) {
      await this.#countPending(building);
      await this.#rename(building);
      onBuilt();
    } else {
      await this.#discard(building);
    }
    this.#building = undefined;
  }

  /** Writes the rest. False when there is nothing to rename: it went as a payload, or cannot be represented. */
  #complete({ decoder, collected, entry, flavor, writer }: Building): boolean {
    const { features, losses, line } = this.#options;
    if (decoder !== undefined) {
      decoder.finish();
      writer.end();
      return true;
    }
    const bytes = Buffer.concat(collected);
    if (line.restore({ ...entry, value: bytes })) return false;
    const loss = lossOfType(entry.type, features);
    if (loss !== undefined) {
      losses.add(loss, entry.key);
      writeCommand(line.outputFor(entry.database), ['DEL', entry.key]);
      return false;
    }
    feedValue(decodeValue(entry.type, bytes, flavor), writer);
    writer.end();
    return true;
  }

  /** A target silently leaves out pending entries whose message is gone: count what it has. */
  async #countPending({ entry, temporary, writer }: Building): Promise<void> {
    const { target, signal, losses } = this.#options;
    if (writer.pendingByGroup.size === 0) return;
    const connection = await target.connect(signal);
    await connection.call('SELECT', entry.database);
    for (const [group, expected] of writer.pendingByGroup) {
      const reply = await connection.tryCall('XPENDING', temporary, Buffer.from(group, 'latin1'));
      const found = Array.isArray(reply) ? Number(reply[0]) : expected;
      if (found < expected) losses.add('stream-pending-deleted', entry.key, expected - found);
    }
  }

  /** RENAME carries nothing but the value: the expiry comes behind it, in the same transaction. */
  async #rename({ entry, temporary }: Building): Promise<void> {
    const { key, expireAtMs, database } = entry;
    const expire = expireAtMs < 0 ? [] : [['PEXPIREAT', key, expireAtMs]];
    const { mark } = this.#options;
    const marked = mark === undefined ? [] : [mark, ['SELECT', database]];
    const commands = [
      ['SELECT', mark === undefined ? database : 0],
      ['MULTI'],
      ...marked,
      ['RENAME', temporary, key],
      ...expire,
      ['EXEC'],
    ];
    let unanswered = false;
    for (;;) {
      const outcome = await this.#execute(commands);
      switch (outcome.kind) {
        case 'done':
          return;
        case 'gone':
          // An earlier attempt had worked and only its reply was lost: nobody else takes our key away.
          if (unanswered && (expireAtMs >= 0 || (await this.#exists(database, key)))) return;
          throw lostWrites(this.#options.target, key);
        case 'lost':
          unanswered = true;
          await this.#options.target.wait(outcome.error, this.#options.signal);
          break;
        case 'refused':
          await this.#options.target.wait(outcome.error, this.#options.signal);
          break;
        default:
          outcome satisfies never;
      }
    }
  }

  async #exists(database: number, key: Buffer): Promise<boolean> {
    const { target, signal } = this.#options;
    const connection = await target.connect(signal);
    const [, found] = await connection.pipeline([
      ['SELECT', database],
      ['EXISTS', key],
    ]);
    return found === 1;
  }

  async #execute(commands: readonly (readonly Argument[])[]): Promise<Outcome> {
    const { target, signal } = this.#options;
    const connection = await target.connect(signal);
    try {
      const replies = await connection.pipeline(commands);
      const first = replies.flat().find((reply) => reply instanceof ReplyError);
      if (first === undefined) {
        target.worked();
        return { kind: 'done' };
      }
      if (/no such key/i.test(first.message)) return { kind: 'gone' };
      return { kind: 'refused', error: wordRefusal(first, undefined, target.describe()) };
    } catch (error) {
      return { kind: 'lost', error: asError(error) };
    }
  }

  async #discard({ entry, temporary, refusal }: Building): Promise<void> {
    const { onFinding } = this.#options;
    await this.#execute([
      ['SELECT', entry.database],
      ['DEL', temporary],
    ]);
    if (refusal === undefined) return;
    onFinding({
      code: 'APPLY_ERROR',
      severity: 'error',
      message: `Key ${printKey(entry.key)} in database ${entry.database} could not be built on the target: ${refusal.message}`,
      evidence: { key: entry.key.toString('base64'), database: entry.database },
    });
  }
}

/** What a command that is sent again answers when the first time had worked. */
export function isRepeatAnswer(error: ReplyError): boolean {
  return (
    /equal or smaller than the target stream top item/i.test(error.message) || error.kind === 'BUSYGROUP'
  );
}

function lostWrites(target: Target, key: Buffer): SyncError {
  return new SyncError(
    'APPLY_REFUSED',
    `The target has lost what was written to it while ${printKey(key)} was being built.`,
    {
      where: target.describe(),
      hint: 'It restarted without its data, or failed over to a replica that was behind. Start the link again: it will do a full sync.',
    },
  );
}
