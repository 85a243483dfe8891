/**
 * The OperationContext of one client: collects the commands of an operation and deals out keys and values.
 *
 * Clients divide the keyspace: client i of n has the numbers i, i+n, i+2n …, so that what one operation makes is still
 * there for its next command.
 */
import assert from 'node:assert/strict';
import type { Argument } from '../../engine/resp/encode.ts';
import { Random } from '../data/random.ts';
import { splitAtCodisProxy } from './codis-proxy.ts';
import type { DumpPayloads, OperationContext, Tag } from './operation.ts';

export interface OperationScriptOptions {
  seed: number;
  workload: string;
  prefix: string;
  keyspace: number;
  client: number;
  clients: number;
  databases: readonly number[];
  /** Wall clock, ms since the epoch. */
  now: () => number;
  /** When the workload started on that clock; the first half of every stream id. */
  startedMs: number;
  payloads: DumpPayloads;
  /** Whether a key may be written by this client. Default: any. */
  owns?: (key: string) => boolean;
  /** Of a shard of a cluster: hash tags of its slots, used in turn. The keys of one operation share one. */
  slotTags?: readonly string[];
  /** Commands of several keys are sent as a Codis proxy would: key by key. */
  splits?: boolean;
}

const WORDS = [
  'alpha',
  'bravo',
  'charlie',
  'delta',
  'echo',
  'foxtrot',
  'golf',
  'hotel',
  'india',
  'juliett',
  'kilo',
  'lima',
];

/** A group with a single slot of 1024 gets a name in far fewer. */
const NAME_ATTEMPTS = 100_000;

/** Every sixteenth name is awkward. A later attempt gives another slot, whoever computes it. */
function keyName(start: string, number: number, attempt: number): string {
  const other = attempt === 0 ? '' : `~${attempt}`;
  return number % 16 === 15 ? `${start}:{t${other}}\r\n\0é"${number}` : `${start}:${number}${other}`;
}

export class OperationScript implements OperationContext {
  readonly random: Random;
  readonly client: number;
  readonly payloads: DumpPayloads;
  readonly #options: OperationScriptOptions;
  readonly #facts = new Map<string, Set<string>>();
  #database: number;
  #commands: Argument[][] = [];
  #serial = 0;
  /** Operations built so far. */
  #turn = 0;

  constructor(options: OperationScriptOptions) {
    this.#options = options;
    this.random = new Random(options.seed, 'workload', options.workload, options.client);
    this.client = options.client;
    this.payloads = options.payloads;
    this.#database = options.databases[options.client % options.databases.length] ?? 0;
  }

  get nowMs(): number {
    return this.#options.now();
  }

  get database(): number {
    return this.#database;
  }

  get otherDatabases(): readonly number[] {
    return this.#options.databases.filter((database) => database !== this.#database);
  }

  /** The shard that it writes to has no slots now. */
  get isHomeless(): boolean {
    return this.#options.slotTags?.length === 0;
  }

  /** Adds a SELECT; everything built later is for that database. */
  switchDatabase(database: number): void {
    this.emit('SELECT', database);
    this.#database = database;
  }

  emit(...words: Argument[]): void {
    if (this.#options.splits === true) this.#commands.push(...splitAtCodisProxy(words));
    else this.#commands.push(words);
  }

  key(tag: Tag): string {
    const { prefix, keyspace, client, clients, slotTags, owns = () => true } = this.#options;
    const start = slotTags === undefined ? prefix : `${prefix}{${slotTags[this.#turn % slotTags.length]}}`;
    const share = Math.max(1, Math.ceil((keyspace - client) / clients));
    const number = this.random.below(share) * clients + client;
    // The same number is the same key as long as it belongs here.
    for (let attempt = 0; ; attempt++) {
      const key = keyName(`${start}${tag}`, number, attempt);
      if (owns(key)) return key;
      assert(attempt < NAME_ATTEMPTS, 'a client has an instance with slots');
    }
  }

  /** The name itself, or with a number behind it, so that it belongs to this client's instance. The same every time. */
  ownName(name: string): string {
    const { owns = () => true } = this.#options;
    for (let attempt = 0; ; attempt++) {
      const key = attempt === 0 ? name : `${name}.${attempt}`;
      if (owns(key)) return key;
      assert(attempt < NAME_ATTEMPTS, 'a client has an instance with slots');
    }
  }

  keys(tag: Tag, count: number): string[] {
    const chosen = new Set<string>();
    for (let attempt = 0; chosen.size < count && attempt < 4 * count; attempt++) chosen.add(this.key(tag));
    const distinct = [...chosen];
    return Array.from({ length: count }, (_, index) => distinct[index % distinct.length] ?? '');
  }

  value(): Argument {
    const form = this.random.below(16);
    if (form === 0) return '';
    if (form === 1) return this.random.bytes(this.random.between(1, 40));
    if (form < 5) return this.random.between(-100_000, 100_000);
    if (form === 5) return this.random.pick(WORDS).repeat(this.random.between(10, 60));
    return `${this.random.pick(WORDS)} ${this.random.pick(WORDS)} ${this.random.below(1_000_000)}`;
  }

  serial(): number {
    return this.#serial++;
  }

  streamId(): string {
    return `${this.#options.startedMs}-${this.#serial++}`;
  }

  knows(key: string, fact: string): boolean {
    return this.#facts.get(this.#place(key))?.has(fact) ?? false;
  }

  remember(key: string, fact: string): void {
    const place = this.#place(key);
    const facts = this.#facts.get(place);
    if (facts) facts.add(fact);
    else this.#facts.set(place, new Set([fact]));
  }

  forgetKey(key: string): void {
    this.#facts.delete(this.#place(key));
  }

  /** After an error, a lost connection, or any other reason to doubt what is there. */
  forgetAll(): void {
    this.#facts.clear();
  }

  /** The commands emitted since the last call. */
  take(): Argument[][] {
    const commands = this.#commands;
    this.#commands = [];
    this.#turn++;
    return commands;
  }

  #place(key: string): string {
    return `${this.#database} ${key}`;
  }
}
