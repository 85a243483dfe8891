/**
 * A stream as commands, in the order in which Redis itself rewrites one (rewriteStreamObject in src/aof.c):
 *
 *   XADD id fields …        entries; for a message that is gone but pending, one that is deleted again at the end
 *   XADD MAXLEN 0 0-1 x y   instead, when there are none: it leaves an empty stream
 *   XSETID last-id [ENTRIESADDED n MAXDELETEDID id]
 *   XGROUP CREATE name last-id [ENTRIESREAD n]        per group
 *     XGROUP CREATECONSUMER name                      (before 6.2: an XREADGROUP of its own past does it)
 *     XCLAIM name consumer 0 id … TIME ms RETRYCOUNT n JUSTID FORCE
 *   XDEL / XTRIM, XSETID    away with the stand-ins, and the counters as they were
 *
 * Not carried: when consumers were last seen (no command sets it).
 */
import type { PendingEntry, StreamCounters } from '../../rdb/stream-decode/element-sink.ts';
import { CommandChunk, writeCommand, type CommandOutput } from './command-chunk.ts';
import type { OnLoss } from './value-writer.ts';
import type { WriteFeatures } from './write-features.ts';

const NO_ID = '0-0';
const CLAIM_IDS_MAX = 500;
const STAND_IN: readonly string[] = ['x', 'y'];

export class StreamWriter {
  readonly #output: CommandOutput;
  readonly #features: WriteFeatures;
  readonly #onLoss: OnLoss;
  readonly #chunk: CommandChunk;
  #key: Buffer = Buffer.alloc(0);
  #added = 0;
  #standIns: string[] = [];
  #counters: StreamCounters | undefined;
  #group: Buffer = Buffer.alloc(0);
  /** Consumers that were claimed for, so that they exist, and those that were not. */
  readonly #claimed = new Set<string>();
  #consumers: Buffer[] = [];
  /** Pending entries that share everything but their id. */
  #run: { first: PendingEntry; ids: string[] } | undefined;
  #lost = false;
  /** Entries claimed per group (name as latin1). */
  readonly pendingByGroup = new Map<string, number>();

  constructor(output: CommandOutput, features: WriteFeatures, onLoss: OnLoss) {
    this.#output = output;
    this.#features = features;
    this.#onLoss = onLoss;
    this.#chunk = new CommandChunk(output);
  }

  begin(key: Buffer): void {
    this.#key = key;
    this.#added = 0;
    this.#standIns = [];
    this.#counters = undefined;
    this.#run = undefined;
    this.#consumers = [];
    this.#claimed.clear();
    this.#lost = false;
    this.pendingByGroup.clear();
  }

  entry(id: string, fields: readonly Buffer[]): void {
    this.#chunk.begin(['XADD', this.#key, id]);
    for (const part of fields) this.#chunk.add(part);
    this.#chunk.flush();
    this.#added++;
  }

  /** No target lets us claim a message that is gone: so let there be one while it is claimed. */
  deletedEntry(id: string): void {
    writeCommand(this.#output, ['XADD', this.#key, id, ...STAND_IN]);
    this.#standIns.push(id);
  }

  counters(counters: StreamCounters): void {
    this.#counters = counters;
    if (this.#added === 0 && this.#standIns.length === 0) {
      writeCommand(this.#output, ['XADD', this.#key, 'MAXLEN', 0, '0-1', ...STAND_IN]);
    }
    this.#setId(counters);
    const known =
      counters.entriesAdded >= 0 && (counters.entriesAdded > 0 || counters.maxDeletedId !== NO_ID);
    if (known && !this.#features.streamCounters) this.#loseCounters();
  }

  group(name: Buffer, lastId: string, entriesRead: number): void {
    this.#endGroup();
    this.#group = Buffer.from(name);
    const read = entriesRead >= 0 && this.#features.streamCounters ? ['ENTRIESREAD', entriesRead] : [];
    writeCommand(this.#output, ['XGROUP', 'CREATE', this.#key, name, lastId, ...read]);
    if (entriesRead >= 0 && read.length === 0) this.#loseCounters();
  }

  consumer(name: Buffer): void {
    if (!this.#features.createConsumer) {
      this.#consumers.push(Buffer.from(name));
      return;
    }
    writeCommand(this.#output, ['XGROUP', 'CREATECONSUMER', this.#key, this.#group, name]);
  }

  pending(entry: PendingEntry): void {
    if (entry.consumer.length === 0) this.#onLoss('stream-pending-unowned', 1);
    const run = this.#run;
    if (run !== undefined && run.ids.length < CLAIM_IDS_MAX && sameDelivery(run.first, entry)) {
      run.ids.push(entry.id);
      return;
    }
    this.#claim();
    this.#run = { first: { ...entry, consumer: Buffer.from(entry.consumer) }, ids: [entry.id] };
  }

  end(): void {
    if (this.#counters === undefined) return;
    this.#endGroup();
    this.#removeStandIns(this.#counters);
  }

  #claim(): void {
    const run = this.#run;
    if (run === undefined) return;
    const { consumer, deliveryTimeMs, deliveryCount } = run.first;
    const group = this.#group.toString('latin1');
    this.pendingByGroup.set(group, (this.pendingByGroup.get(group) ?? 0) + run.ids.length);
    const how = ['TIME', Math.max(0, deliveryTimeMs), 'RETRYCOUNT', deliveryCount, 'JUSTID', 'FORCE'];
    writeCommand(this.#output, ['XCLAIM', this.#key, this.#group, consumer, 0, ...run.ids, ...how]);
    this.#claimed.add(consumer.toString('latin1'));
    this.#run = undefined;
  }

  #endGroup(): void {
    this.#claim();
    for (const name of this.#consumers) {
      if (this.#claimed.has(name.toString('latin1'))) continue;
      writeCommand(this.#output, [
        'XREADGROUP',
        'GROUP',
        this.#group,
        name,
        'COUNT',
        1,
        'STREAMS',
        this.#key,
        0,
      ]);
    }
    this.#consumers = [];
    this.#claimed.clear();
  }

  #setId({ lastId, entriesAdded, maxDeletedId }: StreamCounters): void {
    const exact =
      entriesAdded >= 0 && this.#features.streamCounters
        ? ['ENTRIESADDED', entriesAdded, 'MAXDELETEDID', maxDeletedId]
        : [];
    writeCommand(this.#output, ['XSETID', this.#key, lastId, ...exact]);
  }

  /**
   * They are deleted; where no message ever was (the stream was only trimmed, so those that are gone are its oldest) they
   * are trimmed away, which leaves no trace in max-deleted-id.
   */
  #removeStandIns(counters: StreamCounters): void {
    if (this.#standIns.length === 0) return;
    if (counters.entriesAdded >= 0 && counters.maxDeletedId === NO_ID) {
      writeCommand(this.#output, ['XTRIM', this.#key, 'MAXLEN', this.#added]);
    } else {
      this.#chunk.begin(['XDEL', this.#key]);
      for (const id of this.#standIns) {
        this.#chunk.addText(id);
        if (this.#chunk.full) this.#chunk.flush();
      }
      this.#chunk.flush();
    }
    this.#setId(counters);
  }

  #loseCounters(): void {
    if (!this.#lost) this.#onLoss('stream-counters', 1);
    this.#lost = true;
  }
}

function sameDelivery(a: PendingEntry, b: PendingEntry): boolean {
  return (
    a.deliveryTimeMs === b.deliveryTimeMs &&
    a.deliveryCount === b.deliveryCount &&
    a.consumer.equals(b.consumer)
  );
}
