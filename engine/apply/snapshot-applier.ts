/**
 * Applies one snapshot to a target. Each value goes the cheapest way that the target takes:
 *
 *   payload     RESTORE … REPLACE with the source's bytes, under the newest RDB version that both sides know
 *   commands    rebuilt in one transaction, when the target does not know the value's layout, or refused it
 *   in parts    built up under a temporary key and renamed, when it is large
 *
 * All of it replaces what the key had, and may be sent again: whatever has no reply when the connection breaks is.
 */
import type { Connection } from '../connect/connection.ts';
import { OWN_KEY_PREFIX } from '../link/options.ts';
import { splitDumpPayload } from '../rdb/dump-payload.ts';
import type { RawEntry, SnapshotHandler } from '../rdb/entry.ts';
import { flavorOfVersion, TYPE, type Flavor } from '../rdb/format.ts';
import { RawSnapshotReader } from '../rdb/raw-reader.ts';
import { asError } from '../errors.ts';
import { encodeCommand, encodeCommands, type Argument } from '../resp/encode.ts';
import { parseInfo } from '../resp/reply-text.ts';
import { ReplyError, type Reply } from '../resp/reply.ts';
import { BatchLine } from './batch-line.ts';
import { count, type LinkCounters } from './counters.ts';
import type { StrayKeys } from './groups/stray-keys.ts';
import type { ExpiryKeeper } from './expiry/expiry-keeper.ts';
import { mayHaveFieldDeadlines, nearestFieldDeadline } from './expiry/field-deadlines.ts';
import type { LinkFinding } from './finding.ts';
import type { CommandOutput } from './rebuild/command-chunk.ts';
import { isRepeatAnswer, LargeValues } from './rebuild/large-values.ts';
import { Losses } from './rebuild/losses.ts';
import { mayRestoreModule } from './rebuild/module-values.ts';
import { payloadForms, REBUILD, type PayloadForms } from './rebuild/payload-form.ts';
import { isSmall, Rebuilder } from './rebuild/rebuilder.ts';
import { parseRestore } from './rebuild/restore-words.ts';
import { TEMPORARY_PREFIX, temporaryKey } from './rebuild/temporary-key.ts';
import { writeFeatures, type WriteFeatures } from './rebuild/write-features.ts';
import { type SentCommand, refusalFinding, wordRefusal } from './refusals.ts';
import type { ScriptBook } from './script-book.ts';
import { isMisplaced, reactionTo } from './replies.ts';
import { hasCommand, isPayloadRefusal, isSince, type TargetFacts } from './target-facts.ts';
import type { Reconciliation } from './reconciliation.ts';
import type { Target } from './target.ts';

export const INLINE_BYTES_MAX = 2 * 1024 * 1024;
const OWN_PREFIX = Buffer.from(OWN_KEY_PREFIX);
const TEMPORARY = Buffer.from(TEMPORARY_PREFIX);

export interface SnapshotApplierOptions {
  link: string;
  target: Target;
  facts: TargetFacts;
  counters: LinkCounters;
  heartbeatPrefix: string;
  onFinding: (finding: LinkFinding) => void;
  /** Keeps the bodies of the scripts that a snapshot of an old source carries. */
  scripts?: ScriptBook;
  /** Told of every key and library of the snapshot, when the target may hold older ones. */
  reconciliation: Reconciliation | undefined;
  /** A value with more bytes is read, and built on the target, in parts. Default 2 MiB. */
  inlineBytesMax?: number;
  /** A command for database 0, to begin every transaction with: whoever reads the target's stream sees what is ours. */
  mark?: readonly Argument[] | undefined;
  /** Without it deadlines are written as they come. */
  expiry?: ExpiryKeeper | undefined;
  /** For a source that shares its target with others between which keys move. */
  strays?: StrayKeys | undefined;
  /** The key's slot is, or is about to be, on another shard of the cluster. Takes care of the command. */
  onMisplaced?: (command: SentCommand, error: ReplyError) => void;
  signal: AbortSignal;
}

export class SnapshotApplier {
  /** Takes what a snapshot holds; `push` feeds it, and whoever reads the snapshot for several targets. */
  readonly handler: SnapshotHandler;
  readonly #options: SnapshotApplierOptions;
  readonly #heartbeatPrefix: Buffer;
  readonly #reader: RawSnapshotReader;
  readonly #line: BatchLine;
  readonly #features: WriteFeatures;
  /** RESTORE knows ABSTTL (and IDLETIME, FREQ). */
  readonly #hasAbsoluteTtl: boolean;
  readonly #losses: Losses;
  readonly #rebuilder: Rebuilder;
  readonly #large: LargeValues;
  readonly #libraries: Buffer[] = [];
  /** Where the rebuilder writes: the line, while one key's commands are collected. */
  #output: CommandOutput | undefined;
  /** Database of that key. */
  #outputDatabase = 0;
  #forms: PayloadForms = new Int16Array(256).fill(REBUILD);
  /** A large value is being passed over: it is not ours to apply. */
  #passing = false;
  #flavor: Flavor = 'REDIS';

  constructor(options: SnapshotApplierOptions) {
    this.#options = options;
    const { target, facts, counters, onFinding, signal, link } = options;
    this.#heartbeatPrefix = Buffer.from(options.heartbeatPrefix);
    this.#features = writeFeatures(facts);
    this.#hasAbsoluteTtl = isSince(facts, { redis: '5.0', valkey: '7.2' });
    this.#losses = new Losses({ onFinding, onCount: (kind, by) => count(counters.dropped, kind, by) });
    this.#line = new BatchLine({
      target,
      signal,
      evictionHints: this.#hasAbsoluteTtl,
      mark: options.mark && encodeCommand(options.mark),
      onDone: (keys) => (counters.snapshotKeys += keys),
      onRefused: (command, error, resent) => this.#onRefused(command, error, resent),
      onReconnected: (connection) => this.#large.check((...args) => connection.call(...args)),
    });
    this.#rebuilder = new Rebuilder({
      output: {
        write: (bytes, start, end) => this.#output?.write(bytes, start, end),
        endCommand: () => this.#output?.endCommand(),
      },
      features: this.#features,
      losses: this.#losses,
      placeField: (key, field, deadlineMs) =>
        this.#placeField({ database: this.#outputDatabase, key }, field, deadlineMs),
    });
    this.#large = new LargeValues({
      link,
      cluster: facts.cluster,
      target,
      line: {
        outputFor: (database) => this.#line.outputFor(database),
        isCrowded: () => this.#line.crowded,
        room: () => this.#line.room(),
        empty: () => this.#line.empty(),
        restore: (entry) => this.#restore(entry),
      },
      features: this.#features,
      losses: this.#losses,
      onFinding,
      mark: options.mark,
      onBuilt: () => {
        counters.snapshotKeys++;
        counters.snapshotRebuilt++;
      },
      placeField: (entry, field, deadlineMs) => this.#placeField(entry, field, deadlineMs),
      signal,
    });
    this.handler = this.#openHandler();
    this.#reader = new RawSnapshotReader(this.handler, {
      maxInlineBytes: options.inlineBytesMax ?? INLINE_BYTES_MAX,
    });
  }

  /** Removes what an engine that was killed while it built a large value left on the target. */
  async begin(connection: Connection): Promise<void> {
    if (this.#options.facts.cluster) return;
    const keyspace = parseInfo(await connection.tryCall('INFO', 'keyspace'));
    const databases = Object.keys(keyspace).flatMap((name) => /^db(\d+)$/.exec(name)?.[1] ?? []);
    const key = temporaryKey(this.#options.link);
    await connection.pipeline([
      ...databases.flatMap((database) => [
        ['SELECT', database],
        ['DEL', key],
      ]),
      ['SELECT', 0],
    ]);
  }

  /** Applies the next bytes; resolves when so little is in flight that more may come. */
  async push(chunk: Buffer): Promise<void> {
    this.#options.counters.snapshotBytes += chunk.length;
    this.#reader.push(chunk);
    await this.room();
  }

  /** Resolves when so little is in flight that more may come. */
  async room(): Promise<void> {
    if (this.#large.waiting) await this.#large.drain();
    if (this.#line.crowded) await this.#line.room();
    await this.#options.reconciliation?.room();
  }

  /** Lets go of the signal; what is still in flight is of no interest any more. */
  abandon(): void {
    this.#line.abandon();
  }

  /**
   * Every key is on the target.
   *
   * @throws SyncError SNAPSHOT_CORRUPT when the snapshot is not complete: then nothing may be called complete.
   */
  async finish(): Promise<void> {
    this.#reader.finish();
    await this.complete();
  }

  /** Resolves when everything that was taken is on the target. @throws SyncError what stops the link. */
  async complete(): Promise<void> {
    do {
      await this.#large.drain();
      await this.#line.empty();
      // What was refused meanwhile may have become a large value.
    } while (this.#large.waiting);
    for (const code of this.#libraries) await this.#loadFunctions(code);
    this.#losses.report();
    this.abandon();
  }

  #openHandler(): SnapshotHandler {
    const { counters, onFinding, facts } = this.#options;
    return {
      header: (version, flavor) => {
        this.#flavor = flavor;
        this.#forms = payloadForms(version, flavor, facts);
      },
      sizes: (_database, keys) => {
        counters.snapshotExpectedKeys += keys;
      },
      aux: (name, value) => {
        if (name === 'lua') this.#loadScript(value);
        if (name === 'ctime') this.#options.expiry?.snapshotTaken(Number(value.toString()));
      },
      functionLibrary: (code) => {
        this.#libraries.push(Buffer.from(code));
        this.#options.reconciliation?.keepLibrary(code);
      },
      entry: (entry) => this.#onEntry(entry),
      largeStart: (entry) => {
        this.#passing = this.#isPassedOver(entry);
        if (this.#passing) return;
        this.#placeDeadline(entry);
        this.#large.start(entry, this.#flavor);
      },
      largePart: (bytes) => {
        if (!this.#passing) this.#large.part(bytes);
      },
      largeEnd: () => {
        if (!this.#passing) this.#large.end();
      },
      moduleAux: (module) =>
        onFinding({
          code: 'UNSUPPORTED_COMMAND',
          severity: 'warning',
          message: `The snapshot carries auxiliary data of module ${module}, which cannot be replicated.`,
          evidence: { module },
        }),
    };
  }

  #onEntry(entry: RawEntry): void {
    if (this.#isPassedOver(entry)) return;
    this.#placeDeadline(entry);
    if (!this.#restore(entry)) this.#rebuild(entry, this.#flavor);
  }

  #placeDeadline(entry: RawEntry): void {
    const { expiry } = this.#options;
    const { database, key, expireAtMs } = entry;
    if (expiry && expireAtMs >= 0)
      entry.expireAtMs = expiry.deadline(database, key, undefined, expireAtMs, 0);
  }

  #placeField(
    { database, key }: Pick<RawEntry, 'database' | 'key'>,
    field: Buffer,
    deadlineMs: number,
  ): number {
    return this.#options.expiry?.deadline(database, key, field, deadlineMs, 0) ?? deadlineMs;
  }

  /** A payload carries the deadlines of its fields as they are: is one of them near? */
  #hasNearField(entry: RawEntry): boolean {
    const { expiry } = this.#options;
    if (expiry === undefined || !mayHaveFieldDeadlines(entry.type)) return false;
    const nearestMs = nearestFieldDeadline(entry, this.#flavor);
    return nearestMs !== Infinity && expiry.place(nearestMs) !== nearestMs;
  }

  /** Our own keys are not data; counted. What is being built under a temporary key by another link is. */
  #isPassedOver({ database, key }: RawEntry): boolean {
    const { dropped } = this.#options.counters;
    if (startsWith(key, this.#heartbeatPrefix)) count(dropped, 'heartbeat');
    else if (startsWith(key, OWN_PREFIX) && !startsWith(key, TEMPORARY)) count(dropped, 'checkpoint');
    else {
      this.#options.reconciliation?.keep(database, key);
      this.#remember(this.#options.strays?.entry(database, key));
      return false;
    }
    return true;
  }

  /** A command of our own, before those of the key. */
  #remember(bytes: Buffer | undefined): void {
    if (bytes === undefined) return;
    const output = this.#line.outputFor(0);
    output.write(bytes, 0, bytes.length);
    output.endCommand();
  }

  /** As a payload; false when the target does not take one of this type. */
  #restore(entry: RawEntry): boolean {
    const version = this.#forms[entry.type] ?? REBUILD;
    if (version === REBUILD || (entry.expireAtMs >= 0 && !this.#hasAbsoluteTtl)) return false;
    if (this.#hasNearField(entry)) return false;
    if (entry.type === TYPE.MODULE_2 && !mayRestoreModule(entry.value, this.#options.facts)) return false;
    this.#line.restore(entry, version);
    return true;
  }

  #rebuild(entry: RawEntry, flavor: Flavor): void {
    if (!isSmall(entry.type, entry.value)) {
      this.#large.start(entry, flavor);
      this.#large.part(entry.value);
      this.#large.end();
      return;
    }
    this.#line.commands(entry.database, (output) => {
      this.#output = output;
      this.#outputDatabase = entry.database;
      const rebuilt = this.#rebuilder.rebuild(entry, flavor, this.#options.mark ? 'inline' : 'transaction');
      if (rebuilt) this.#options.counters.snapshotRebuilt++;
      return rebuilt;
    });
  }

  /** A script that clients of the source have loaded: after the cutover they will run it by its SHA1. */
  #loadScript(body: Buffer): void {
    const { scripts, counters } = this.#options;
    scripts?.remember(body);
    count(counters.handled, 'scripts loaded');
    this.#remember(encodeCommand(['SCRIPT', 'LOAD', body]));
  }

  #onRefused(command: SentCommand, error: ReplyError, resent: boolean): boolean {
    const { counters, target, onFinding } = this.#options;
    const { reaction } = reactionTo(error);
    const { onMisplaced } = this.#options;
    if (onMisplaced && isMisplaced(error) && !this.#large.isBuilding(command.key)) {
      onMisplaced(command, error);
      return true;
    }
    if (command.name === 'RESTORE' && isPayloadRefusal(error)) return this.#rebuildRefused(command);
    if (this.#large.isBuilding(command.key) && reaction !== 'retry') {
      if (!(resent && isRepeatAnswer(error)))
        this.#large.refused(wordRefusal(error, command, target.describe()));
      return true;
    }
    if (command.name === 'SCRIPT' && reaction !== 'retry') {
      onFinding({
        code: 'SCRIPT_UNVERIFIED',
        severity: 'warning',
        message: `The target does not take a script that the source had loaded: ${error.message}`,
        evidence: { reply: error.message },
      });
      return true;
    }
    if (reaction !== 'count') return false;
    count(counters.errors, error.kind);
    onFinding(refusalFinding(error, command, target.describe()));
    return true;
  }

  /** The target does not take this payload, whatever it said before: the same value, with commands. */
  #rebuildRefused(command: SentCommand): boolean {
    const restore = parseRestore(command.bytes);
    if (restore === undefined) return false;
    const { key, payload, ttlMs } = restore;
    const { type, value, version } = splitDumpPayload(payload);
    const expireAtMs = ttlMs === 0 ? -1 : ttlMs;
    const { database } = command;
    const entry = {
      database,
      key,
      type,
      value,
      expireAtMs,
      idleSeconds: -1,
      frequency: -1,
    };
    // The batch it came in counts it as a key already.
    this.#options.counters.snapshotKeys--;
    this.#rebuild(entry, flavorOfVersion(version));
    return true;
  }

  /** One command, recognisable as ours where that is asked for. The answer to it. */
  async #sendMarked(connection: Connection, command: readonly Argument[]): Promise<Reply> {
    const { mark } = this.#options;
    if (mark === undefined) return connection.tryCall(...command);
    const bytes = encodeCommands([['SELECT', 0], ['MULTI'], mark, command, ['EXEC']]);
    const replies = await connection.pipelineRaw(bytes, 5);
    const result = replies[4];
    return Array.isArray(result) ? (result[1] ?? null) : (replies[3] ?? null);
  }

  async #loadFunctions(code: Buffer): Promise<void> {
    const { target, signal, counters, onFinding, facts } = this.#options;
    if (!hasCommand(facts, 'FUNCTION', { redis: '7.0', valkey: '7.2' })) {
      this.#losses.add('functions', libraryName(code));
      return;
    }
    for (;;) {
      try {
        const connection = await target.connect(signal);
        const reply = await this.#sendMarked(connection, ['FUNCTION', 'LOAD', 'REPLACE', code]);
        if (!(reply instanceof ReplyError)) return;
        count(counters.errors, reply.kind);
        if (reactionTo(reply).reaction === 'retry') throw wordRefusal(reply, undefined, target.describe());
        return onFinding({
          code: 'UNSUPPORTED_COMMAND',
          severity: 'error',
          message: `The target refused a function library: ${reply.message}`,
          evidence: { reply: reply.message },
        });
      } catch (error) {
        await target.wait(asError(error), signal);
      }
    }
  }
}

/** As its first line says: `#!lua name=…`. */
function libraryName(code: Buffer): Buffer {
  const name = /name=(\S+)/.exec(code.toString('utf8', 0, 1024))?.[1];
  return Buffer.from(name ?? '');
}

function startsWith(key: Buffer, prefix: Buffer): boolean {
  if (prefix.length === 0 || key.length < prefix.length || key[0] !== prefix[0]) return false;
  return key.subarray(0, prefix.length).equals(prefix);
}
