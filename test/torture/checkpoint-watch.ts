/**
 * Looks at the target all the time, past the proxy, and holds what it sees against what must always be true:
 *
 *   - once there is something of the link, there is a checkpoint or the mark of a full sync, never both, never neither
 *   - within one replication history the checkpoint never goes back, and never vanishes
 *   - a history that was left never returns
 *   - once a checkpoint stands in the source's own history, the halves of a transaction are never seen apart
 *   - no full sync of a history that the target already has a checkpoint in
 */
import { checkpointKey, loadingKey } from '../../engine/apply/checkpoint.ts';
import { Connection } from '../../engine/connect/connection.ts';
import type { Endpoint } from '../../engine/connect/endpoint.ts';
import { asError } from '../../engine/errors.ts';
import { textOf } from '../../engine/resp/reply-text.ts';
import type { Reply } from '../../engine/resp/reply.ts';
import type { History } from './history.ts';
import { PAIR_QUERY, readPair } from './pairs.ts';

const INTERVAL_MS = 15;

interface Seen {
  replid: string;
  offset: bigint;
}

export class CheckpointWatch {
  readonly #connection: Connection;
  readonly #history: History;
  readonly #key: string;
  readonly #loadingKey: string;
  readonly #left = new Set<string>();
  readonly #watching: Promise<void>;
  #last: Seen | undefined;
  #marks = 0;
  /** What stays torn is told once. */
  #torn = false;
  #sourceReplid = '';
  #looks = 0;
  #stopped = false;

  private constructor(connection: Connection, link: string, history: History) {
    this.#connection = connection;
    this.#history = history;
    this.#key = checkpointKey(link);
    this.#loadingKey = loadingKey(link);
    this.#watching = this.#watch();
  }

  static async start(target: Endpoint, link: string, history: History): Promise<CheckpointWatch> {
    const connection = await Connection.open(target, { name: 'torture-watch', replyTimeoutMs: 0 });
    return new CheckpointWatch(connection, link, history);
  }

  /** How often it has looked. */
  get looks(): number {
    return this.#looks;
  }

  get last(): Seen | undefined {
    return this.#last;
  }

  /** To be told before the source changes its history and, with the new id, afterwards; '' while nobody knows. */
  set sourceReplid(replid: string) {
    this.#sourceReplid = replid;
  }

  /** A full sync began. */
  onFullSync(replid: string): void {
    if (this.#last?.replid !== replid) return;
    this.#history.problem('a full sync although the target had a checkpoint in the same history', {
      replid,
      checkpoint: this.#last,
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#watching;
    await this.#connection.close();
  }

  async #watch(): Promise<void> {
    try {
      while (!this.#stopped) {
        await this.#look();
        await new Promise((resolve) => setTimeout(resolve, INTERVAL_MS));
      }
    } catch (error) {
      this.#history.problem(`the target could not be watched: ${asError(error).message}`);
    }
  }

  async #look(): Promise<void> {
    const replidBefore = this.#sourceReplid;
    const replies = await this.#connection.pipeline([
      ['MULTI'],
      ['HMGET', this.#key, 'replid', 'offset'],
      ['EXISTS', this.#key, this.#loadingKey],
      ...PAIR_QUERY,
      ['EXEC'],
    ]);
    const result = replies.at(-1);
    if (!Array.isArray(result)) throw new Error(`EXEC answered ${textOf(result)}`);
    this.#looks++;
    const seen = readSeen(result[0] ?? null);
    this.#compare(seen);
    this.#countMarks(Number(result[1]), seen);
    if (seen?.replid === replidBefore) this.#comparePair(result.slice(2), seen);
  }

  #compare(seen: Seen | undefined): void {
    const last = this.#last;
    if (seen === undefined) {
      if (last !== undefined && last.replid === this.#sourceReplid)
        this.#history.problem('the checkpoint vanished', { last });
    } else if (last !== undefined && seen.replid === last.replid && seen.offset < last.offset)
      this.#history.problem('the checkpoint went back', { last, seen });
    else if (this.#left.has(seen.replid))
      this.#history.problem('the checkpoint returned to an old history', { last, seen });
    if (last !== undefined && seen !== undefined && seen.replid !== last.replid) this.#left.add(last.replid);
    if (seen !== undefined) this.#last = seen;
  }

  #countMarks(marks: number, seen: Seen | undefined): void {
    if (marks !== this.#marks && this.#marks > 0)
      this.#history.problem(`${marks} marks of the link on the target instead of one`, { seen });
    this.#marks = marks;
  }

  #comparePair(replies: readonly Reply[], seen: Seen): void {
    const torn = readPair(replies);
    const before = this.#torn;
    this.#torn = torn !== undefined;
    if (torn !== undefined && !before)
      this.#history.problem(`half a transaction on the target: ${torn}`, { seen });
  }
}

function readSeen(reply: Reply): Seen | undefined {
  if (!Array.isArray(reply)) throw new Error(`the checkpoint reads ${textOf(reply)}`);
  const [replid, offset] = reply;
  if (!Buffer.isBuffer(replid) || !Buffer.isBuffer(offset)) return undefined;
  return { replid: replid.toString(), offset: BigInt(offset.toString()) };
}
