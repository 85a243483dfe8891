/**
 * From framed stream commands to envelope contents: swallows what is protocol, drops what is not data, strips
 * conditions, forwards everything else as the raw bytes it came in. Sans-IO.
 *
 * State that belongs to the stream: the selected database, and whether we are inside MULTI … EXEC. A unit is a single
 * command or a whole transaction; the envelope's boundary moves only at the end of a unit.
 */
import { SyncError } from '../errors.ts';
import {
  OWN_KEY_PREFIX,
  type FlushPolicy,
  type PublishPolicy,
  type ScriptsPolicy,
  type SwapdbPolicy,
  type UnsupportedPolicy,
} from '../link/options.ts';
import { CommandFramer, type CommandFrame } from '../resp/command-framer.ts';
import { encodeCommand, encodeCommands, type Argument } from '../resp/encode.ts';
import type { EnvelopeSink } from './envelope-sink.ts';
import type { StrayKeys } from './groups/stray-keys.ts';
import { StreamExpiry, wordsOf } from './expiry/stream-expiry.ts';
import type { LossKind } from './rebuild/losses.ts';
import type { KeyOwners } from './key-owners.ts';
import type { ConflictWatch, OwnCommands } from './origin/conflict-watch.ts';
import type { OriginFilter } from './origin/origin-filter.ts';
import {
  flushStop,
  loadingStop,
  movedKeyStop,
  scriptStop,
  swapdbStop,
  unsupportedStop,
  type StreamPlace,
} from './policy-stops.ts';
import { rewriteCommand } from './rewrite.ts';
import { readScriptRun, type ScriptBook, type ScriptRun } from './script-book.ts';
import { TEMPORARY_PREFIX } from './rebuild/temporary-key.ts';
import { treatmentOf, type Treatment } from './treatments.ts';
import type { CommandTranslator } from './translate/command-translator.ts';
import type { SourceClock } from './translate/source-clock.ts';
import type { Translation } from './translate/translation.ts';

export interface TranslatorOptions {
  builder: EnvelopeSink;
  /** Offset of the last byte before the first one pushed, and the database selected there. */
  start: { offset: bigint; database: number };
  heartbeatPrefix: string;
  checkpointKey: string;
  flush: FlushPolicy;
  /** REPLCONF GETACK at this offset: the source asks where we are. */
  onAckRequested: (offset: bigint) => void;
  onDropped: (reason: string) => void;
  onFlush: (name: string, database: number, offset: bigint) => void;
  /** Something was done about a command besides forwarding it: `rewritten setnx`, `swapdb`, `publish`. */
  onHandled?: (what: string) => void;
  /** Default drop. */
  publish?: PublishPolicy;
  /** Default propagate. */
  swapdb?: {
    policy: SwapdbPolicy;
    cluster: boolean;
    onRefused: (place: StreamPlace) => void;
  };
  /** Without it scripts are forwarded like everything else. */
  scripts?: {
    policy: ScriptsPolicy;
    book: ScriptBook;
    onRun: (run: ScriptRun, place: StreamPlace) => void;
  };
  /** Without it deadlines are written as they come. */
  expiry?: StreamExpiry | undefined;
  /** For a source that links write to: what they applied there is told from what clients wrote. */
  origins?: {
    filter: OriginFilter;
    /** The source's own data was brought back to it. */
    onEcho: () => void;
    /** A key has come to the source with its slot. True: it is seen to; else the link stops. */
    onMoved: (place: StreamPlace, key: Buffer) => boolean;
    /** Sees every deletion. */
    onDeleted?: ((frame: CommandFrame, offset: bigint) => void) | undefined;
    /** A deletion: the keys may only have left with their slot. */
    departs?: ((frame: CommandFrame) => boolean) | undefined;
    /** Sees writes of both sides to one key. */
    conflicts?: ConflictWatch | undefined;
  };
  /** Told of what clients of the source write. */
  owners?: KeyOwners | undefined;
  /** For a source that shares its target with others between which keys move. */
  strays?: StrayKeys | undefined;
  /** For a target that may not take the source's forms; without it everything is forwarded as it is. */
  translation?: {
    commands: CommandTranslator;
    clock: SourceClock;
    policy: UnsupportedPolicy;
    /** Something has no form that the target takes; `key` is the command's first argument. */
    onUnsupported: (name: string, key: Buffer, needs: string, database: number, offset: bigint) => void;
    /** Something of the command at this key cannot be represented on the target. */
    onLoss: (kind: LossKind, key: Buffer) => void;
  };
}

const OWN_PREFIX = Buffer.from(OWN_KEY_PREFIX);
const TEMPORARY = Buffer.from(TEMPORARY_PREFIX);
/** Where Sentinels make themselves known, on every server they watch. */
const SENTINEL_CHANNEL = '__sentinel__:hello';

export class StreamTranslator {
  readonly #options: TranslatorOptions;
  readonly #builder: EnvelopeSink;
  readonly #framer: CommandFramer;
  readonly #heartbeatPrefix: Buffer;
  readonly #startOffset: bigint;
  #database: number;
  #inTransaction = false;
  /** Of what was forwarded last. */
  #path = '';
  /** A run of adjacent raw commands not yet copied into the builder. */
  #runBuffer: Buffer | undefined;
  #runStart = 0;
  #runEnd = 0;
  #runCount = 0;

  constructor(options: TranslatorOptions) {
    this.#options = options;
    this.#builder = options.builder;
    this.#startOffset = options.start.offset;
    this.#database = options.start.database;
    this.#heartbeatPrefix = Buffer.from(options.heartbeatPrefix);
    this.#framer = new CommandFramer((frame) => this.#onCommand(frame));
  }

  /** Stream offset up to which commands were framed (not necessarily a boundary). */
  get offset(): bigint {
    return this.#startOffset + BigInt(this.#framer.consumed);
  }

  get inTransaction(): boolean {
    return this.#inTransaction;
  }

  /**
   * @param atMs when the chunk arrived, by our wall clock.
   * @throws SyncError PROTOCOL, POLICY.
   */
  push(chunk: Buffer, atMs?: number): void {
    if (atMs !== undefined) this.#options.translation?.clock.arrived(atMs);
    if (atMs !== undefined) this.#options.origins?.conflicts?.arrived(atMs);
    this.#framer.push(chunk);
    this.#options.origins?.conflicts?.heard(this.offset);
    this.#flushRun();
    if (!this.#inTransaction) this.#builder.mark(this.offset, this.#database);
  }

  #onCommand(frame: CommandFrame): void {
    const { buffer, argStart, argEnd } = frame;
    const treatment = treatmentOf(buffer, argStart[0]!, argEnd[0]!);
    if (this.#options.origins !== undefined && this.#isLeftOut(frame, treatment)) return;
    switch (treatment) {
      case 'forward':
        if (frame.argc > 1 && this.#isOwnKey(frame)) return this.#dropOwn(frame);
        return this.#translate(frame, treatment);
      case 'ping':
        return;
      case 'replconf':
        return this.#options.onAckRequested(this.offset);
      case 'select':
        this.#flushRun();
        this.#database = databaseOf(frame, 1, 2);
        return;
      case 'multi':
        return this.#begin(frame);
      case 'exec':
        return this.#end(frame);
      case 'publish':
        return this.#publish(frame);
      case 'eval':
      case 'evalsha':
        return this.#runScript(frame, treatment);
      case 'script':
        return this.#script(frame);
      case 'flushall':
      case 'flushdb':
        return this.#flush(frame, treatment);
      case 'swapdb':
        return this.#swap(frame);
      default:
        if (frame.argc > 1 && this.#isOwnKey(frame)) return this.#dropOwn(frame);
        return this.#translate(frame, treatment);
    }
  }

  /** It is not to go on; if it is, its path is set. */
  #isLeftOut(frame: CommandFrame, treatment: Treatment): boolean {
    const { origins, onDropped } = this.#options;
    if (origins === undefined || treatment === 'select' || treatment === 'ping' || treatment === 'replconf')
      return false;
    const { filter } = origins;
    if (treatment === 'multi') filter.begin();
    else if (treatment === 'exec') filter.end();
    else {
      const verdict = filter.judge(frame);
      if (verdict === 'loading') this.#stopForLoading(frame);
      // A slot that moves brings its keys, wherever they were written.
      if (verdict === 'forward' && treatment === 'restore' && this.#isArrival(frame)) {
        this.#stopBefore(frame);
        if (!origins.onMoved(this.#place, word(frame, 1))) throw movedKeyStop(this.#place);
        onDropped('moved with its slot');
        return true;
      }
      if (treatment === 'delete') origins.onDeleted?.(frame, this.offset);
      if (verdict === 'echo') origins.onEcho();
      if (verdict !== 'forward') {
        onDropped(verdict === 'mark' ? 'checkpoint' : 'own origin');
        if (verdict === 'visited') this.#watchApplied(frame, filter.origin, false);
        return true;
      }
      if (filter.path !== this.#path) {
        this.#flushRun();
        this.#path = filter.path;
        this.#builder.setPath?.(filter.path);
      }
      if (origins.conflicts && filter.isLocal) return this.#watchConflicts(frame, origins.conflicts);
      this.#watchApplied(frame, filter.origin, true);
    }
    return false;
  }

  #stopForLoading(frame: CommandFrame): never {
    this.#stopBefore(frame);
    throw loadingStop(this.#place);
  }

  /** A key has come with its slot. With every slot come our own, which are of every slot of a target. */
  #isArrival(frame: CommandFrame): boolean {
    return text(frame, 0).toUpperCase() === 'RESTORE-ASKING';
  }

  /** What another link has applied. */
  #watchApplied(frame: CommandFrame, origin: string, goesOn: boolean): void {
    const arrival = { origin, goesOn };
    const { conflicts } = this.#options.origins ?? {};
    this.#keepInMind(conflicts?.applied(frame, this.#database, this.offset, arrival));
  }

  /** A client's write, or a value to be copied: then the command itself is left out. */
  #watchConflicts(frame: CommandFrame, conflicts: ConflictWatch): boolean {
    const copy = conflicts.copied(frame, this.#database, this.offset);
    if (copy === undefined) {
      this.#keepInMind(conflicts.wrote(frame, this.#database, this.offset));
      return false;
    }
    this.#options.onHandled?.('copied');
    const inner = new CommandFramer((command) => {
      this.#translate(command, treatmentOf(command.buffer, command.argStart[0]!, command.argEnd[0]!));
    });
    inner.push(copy);
    this.#flushRun();
    return true;
  }

  #keepInMind(own: OwnCommands | undefined): void {
    if (own === undefined) return;
    this.#flushRun();
    this.#builder.append(own.bytes, 0, own.bytes.length, own.count, 0);
  }

  /** Data, and what is to be remembered of it. */
  #translate(frame: CommandFrame, treatment: Treatment): void {
    const { strays, expiry, onHandled } = this.#options;
    if (strays?.leavesOut(frame, treatment, this.#database) === true) {
      expiry?.observe(frame, treatment, this.#database, this.offset);
      onHandled?.('left to the group that has the key');
      return this.#keepInMind(strays.leftOut(frame, this.#database, this.offset));
    }
    this.#convey(frame, treatment);
    this.#keepInMind(strays?.read(frame, treatment, this.#database, this.offset));
  }

  /** Data: in the form the target takes, unconditional. */
  #convey(frame: CommandFrame, treatment: Treatment): void {
    const { owners, origins } = this.#options;
    if (owners !== undefined && origins?.filter.isLocal !== false) owners.look(frame, this.#database);
    const commands = this.#options.translation?.commands;
    const departs = treatment === 'delete' && origins?.departs?.(frame) === true;
    if (treatment !== 'forward' && !departs)
      this.#options.expiry?.observe(frame, treatment, this.#database, this.offset);
    if (commands === undefined) return this.#rewrite(frame, treatment);
    const translation = translated(commands, frame, treatment);
    switch (translation.kind) {
      case 'forward':
        return this.#rewrite(frame, treatment);
      case 'commands':
        this.#options.onHandled?.('translated');
        this.#append(this.#encode(translation.commands), translation.commands.length);
        return this.#lose(frame, translation.loss);
      case 'encoded':
        this.#options.onHandled?.('translated');
        return this.#append(this.#deferEncoded(translation.bytes), translation.count);
      case 'nothing':
        this.#options.onDropped('not on the target');
        return this.#lose(frame, translation.loss);
      case 'unsupported':
        return this.#refuse(frame, translation);
      default:
        return translation satisfies never;
    }
  }

  #append(bytes: Buffer, count: number): void {
    this.#flushRun();
    if (count > 0) this.#builder.append(bytes, 0, bytes.length, count, this.#database);
  }

  #lose(frame: CommandFrame, loss: LossKind | undefined): void {
    if (loss !== undefined) this.#options.translation?.onLoss(loss, word(frame, 1));
  }

  #refuse(frame: CommandFrame, { needs }: Translation & { kind: 'unsupported' }): void {
    const { translation, onDropped } = this.#options;
    const name = text(frame, 0).toUpperCase();
    translation?.onUnsupported(name, word(frame, 1), needs, this.#database, this.offset);
    if (translation?.policy === 'skip') return onDropped('unsupported');
    this.#stopBefore(frame);
    throw unsupportedStop(name, needs, this.#place);
  }

  /** What came before it is complete: it is applied, and a later start begins with this very command. */
  #stopBefore(frame: CommandFrame): void {
    this.#flushRun();
    if (!this.#inTransaction)
      this.#builder.mark(this.offset - BigInt(frame.end - frame.start), this.#database);
  }

  #forward(frame: CommandFrame): void {
    if (this.#runBuffer === frame.buffer && this.#runEnd === frame.start) {
      this.#runEnd = frame.end;
      this.#runCount++;
      return;
    }
    this.#flushRun();
    this.#runBuffer = frame.buffer;
    this.#runStart = frame.start;
    this.#runEnd = frame.end;
    this.#runCount = 1;
    if (this.#builder.separate === true) this.#flushRun();
  }

  #flushRun(): void {
    if (this.#runBuffer === undefined) return;
    this.#builder.append(this.#runBuffer, this.#runStart, this.#runEnd, this.#runCount, this.#database);
    this.#runBuffer = undefined;
  }

  #rewrite(frame: CommandFrame, treatment: Treatment): void {
    const rewritten = rewriteCommand(frame, treatment);
    const words = this.#defer(frame, rewritten, treatment) ?? rewritten;
    if (words === null) return this.#forward(frame);
    if (rewritten !== null) this.#options.onHandled?.(`rewritten ${treatment}`);
    this.#append(encodeCommand(words), 1);
  }

  /** With a near deadline deferred; null when there is none. */
  #defer(frame: CommandFrame, rewritten: Buffer[] | null, treatment: Treatment): Argument[] | null {
    const { expiry } = this.#options;
    const isPlainSet = treatment === 'set' && frame.argc === 3;
    if (expiry === undefined || isPlainSet || !StreamExpiry.concerns(treatment)) return null;
    return expiry.defer(rewritten ?? wordsOf(frame), this.#database, this.offset);
  }

  #encode(commands: readonly (readonly Argument[])[]): Buffer {
    const { expiry } = this.#options;
    if (expiry === undefined) return encodeCommands(commands);
    const { offset } = this;
    return encodeCommands(commands.map((words) => expiry.defer(words, this.#database, offset) ?? words));
  }

  #deferEncoded(bytes: Buffer): Buffer {
    return this.#options.expiry?.deferEncoded(bytes, this.#database, this.offset) ?? bytes;
  }

  /** A transaction of the source is one unit. What came before it is complete. */
  #begin(frame: CommandFrame): void {
    if (this.#inTransaction) throw damaged(frame, 'a transaction inside a transaction');
    this.#flushRun();
    const before = this.offset - BigInt(frame.end - frame.start);
    this.#builder.mark(before, this.#database);
    this.#inTransaction = true;
  }

  #end(frame: CommandFrame): void {
    if (!this.#inTransaction) throw damaged(frame, 'the end of a transaction that never began');
    this.#flushRun();
    this.#inTransaction = false;
    this.#builder.addTransaction();
    this.#builder.mark(this.offset, this.#database);
  }

  #flush(frame: CommandFrame, name: 'flushall' | 'flushdb'): void {
    const { flush, onFlush, onDropped } = this.#options;
    onFlush(name, this.#database, this.offset);
    if (flush === 'ignore') return onDropped(name);
    if (flush === 'fail') {
      this.#stopBefore(frame);
      throw flushStop(name, this.#place);
    }
    if (name === 'flushall') this.#options.expiry?.flushed();
    this.#barrier(frame, []);
    this.#options.onHandled?.(name);
  }

  #swap(frame: CommandFrame): void {
    const { swapdb } = this.#options;
    if (swapdb !== undefined && (swapdb.cluster || swapdb.policy === 'fail')) {
      swapdb.onRefused(this.#place);
      this.#stopBefore(frame);
      throw swapdbStop(this.#place, swapdb.cluster);
    }
    this.#options.onHandled?.('swapdb');
    const swapped = [databaseOf(frame, 1, 3), databaseOf(frame, 2, 3)];
    // An earlier swap of this envelope may have put the checkpoint anywhere: then clear it out of both.
    const moved = swapped.includes(0) || this.#builder.repeatsCheckpoint;
    const { checkpointKey } = this.#options;
    const remove = swapped
      .filter((database) => moved && database !== 0)
      .flatMap((database) =>
        [
          ['SELECT', database],
          ['DEL', checkpointKey],
          ['SELECT', 0],
        ].map((words) => encodeCommand(words)),
      );
    this.#options.expiry?.swapped();
    this.#barrier(frame, remove);
  }

  /** Forwards a command that may remove the checkpoint key: the envelope writes it again and ends here. */
  #barrier(frame: CommandFrame, removeFirst: Buffer[]): void {
    this.#flushRun();
    this.#builder.append(frame.buffer, frame.start, frame.end, 1, this.#database);
    this.#builder.repeatCheckpoint(removeFirst);
    this.#builder.addSweeping(text(frame, 0).toUpperCase());
  }

  /** Sentinels talk about the source; on the target their words would be lies. */
  #publish(frame: CommandFrame): void {
    const { publish, translation, onDropped, onHandled } = this.#options;
    const isForwarded = publish === 'forward' && text(frame, 1) !== SENTINEL_CHANNEL;
    // A target without SPUBLISH has nobody who listens to it.
    if (!isForwarded || translation?.commands.translate(frame).kind === 'unsupported')
      return onDropped('publish');
    onHandled?.('publish');
    this.#forward(frame);
  }

  #runScript(frame: CommandFrame, name: 'eval' | 'evalsha'): void {
    const { scripts, onHandled } = this.#options;
    if (scripts === undefined) return this.#translate(frame, 'forward');
    const run = readScriptRun(frame, name, scripts.book);
    scripts.onRun(run, this.#place);
    if (scripts.policy === 'fail') {
      this.#stopBefore(frame);
      throw scriptStop(name.toUpperCase(), run.sha, this.#place);
    }
    if (name === 'eval') return this.#translate(frame, 'forward');
    if (run.body === undefined) {
      this.#builder.addScript(run.sha);
      return this.#translate(frame, 'forward');
    }
    onHandled?.('rewritten evalsha');
    this.#append(encodeCommand(['EVAL', run.body, ...wordsFrom(frame, 2)]), 1);
  }

  #script(frame: CommandFrame): void {
    if (text(frame, 1).toUpperCase() === 'LOAD') this.#options.scripts?.book.remember(word(frame, 2));
    this.#translate(frame, 'forward');
  }

  get #place(): StreamPlace {
    return { database: this.#database, offset: this.offset };
  }

  /** A value that another link builds up under a temporary key of its own is data: its RENAME will follow. */
  #isOwnKey({ buffer, argStart, argEnd }: CommandFrame): boolean {
    const start = argStart[1]!;
    const end = argEnd[1]!;
    if (startsWith(buffer, start, end, this.#heartbeatPrefix)) return true;
    return startsWith(buffer, start, end, OWN_PREFIX) && !startsWith(buffer, start, end, TEMPORARY);
  }

  /** Our heartbeat (a SET or SETEX whose value is the time it was sent), or another link's checkpoint. */
  #dropOwn(frame: CommandFrame): void {
    const isHeartbeat = startsWith(frame.buffer, frame.argStart[1]!, frame.argEnd[1]!, this.#heartbeatPrefix);
    this.#options.onDropped(isHeartbeat ? 'heartbeat' : 'checkpoint');
    if (!isHeartbeat || frame.argc < 3) return;
    const name = text(frame, 0).toUpperCase();
    const value = Number(text(frame, name === 'SET' ? 2 : 3));
    if ((name === 'SET' || name.endsWith('SETEX')) && Number.isFinite(value)) {
      this.#builder.addHeartbeat(value);
      this.#options.strays?.heartbeat(value);
      this.#options.origins?.conflicts?.heartbeat(value);
      this.#options.translation?.clock.heartbeat(value);
    }
  }
}

function translated(commands: CommandTranslator, frame: CommandFrame, treatment: Treatment): Translation {
  switch (treatment) {
    case 'restore':
      return commands.translateRestore(frame);
    case 'slotsrestore':
    case 'slotsrestore-async':
      return commands.translateSlots(frame, treatment);
    default:
      return commands.translate(frame);
  }
}

/** A view; empty when there is no such word. */
function word({ buffer, argc, argStart, argEnd }: CommandFrame, index: number): Buffer {
  return index < argc ? buffer.subarray(argStart[index], argEnd[index]) : buffer.subarray(0, 0);
}

function wordsFrom(frame: CommandFrame, from: number): Buffer[] {
  const words: Buffer[] = [];
  for (let index = from; index < frame.argc; index++) words.push(word(frame, index));
  return words;
}

/** The number of a database at `index` of a command that has `argc` words. @throws SyncError PROTOCOL. */
function databaseOf(frame: CommandFrame, index: number, argc: number): number {
  const number = frame.argc === argc ? text(frame, index) : '';
  if (!/^\d{1,9}$/.test(number)) throw damaged(frame, 'no number of a database');
  return Number(number);
}

function damaged(frame: CommandFrame, what: string): SyncError {
  const name = text(frame, 0).toUpperCase();
  return new SyncError('PROTOCOL', `The source's command stream has a ${name} with ${what}.`, {
    hint: 'The bytes were damaged on the way, or the offset is wrong: the link must do a full sync.',
  });
}

function text(frame: CommandFrame, index: number): string {
  return frame.buffer.toString('latin1', frame.argStart[index], frame.argEnd[index]);
}

function startsWith(buffer: Buffer, start: number, end: number, prefix: Buffer): boolean {
  if (end - start < prefix.length || prefix.length === 0) return false;
  for (let index = 0; index < prefix.length; index++)
    if (buffer[start + index] !== prefix[index]) return false;
  return true;
}
