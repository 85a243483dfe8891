/**
 * Counts what became of every command: answered well (`ok`), refused (`failed`), or lost with the connection before the
 * answer (`unknown`: it may or may not have taken effect).
 */
import type { Argument } from '../../engine/resp/encode.ts';
import { ReplyError, type Reply } from '../../engine/resp/reply.ts';
import { Latencies } from './latencies.ts';

export type Outcome = 'ok' | 'failed' | 'unknown';

export type Outcomes = Record<Outcome, number>;

/** One sending of an operation; shared by its commands. */
export interface OperationRun {
  /** See `operationName`. */
  readonly name: string;
  /** Commands whose outcome is not known yet. */
  open: number;
  /** The worst so far; an operation went well when all its commands did. */
  worst: Outcome;
}

/** A command that was sent. */
export interface SentCommand {
  /** `hset`, `xgroup create`. */
  readonly name: string;
  readonly run: OperationRun;
  /** Told the outcome, once. */
  readonly settle?: (outcome: Outcome) => void;
}

/** Commands with a subcommand that is worth a row of its own. */
const CONTAINERS = new Set(['xgroup', 'function', 'script']);

/** Lower case, with the subcommand where there is one. */
export function commandName(words: readonly Argument[]): string {
  const name = String(words[0]).toLowerCase();
  return CONTAINERS.has(name) ? `${name} ${String(words[1]).toLowerCase()}` : name;
}

export class Tally {
  readonly total: Outcomes = { ok: 0, failed: 0, unknown: 0 };
  readonly perCommand = new Map<string, Outcomes>();
  /** Sendings of operations, each by the worst outcome of its commands. */
  readonly perOperation = new Map<string, Outcomes>();
  /** From sending a batch to its last reply, as the client sees it. */
  readonly latencies = new Latencies();
  /** Error replies by first word. */
  readonly errors = new Map<string, number>();

  /** Every reply of a batch; an EXEC's elements are the outcomes of the commands since its MULTI. */
  settle(commands: readonly SentCommand[], replies: readonly Reply[]): void {
    let queued: SentCommand[] | undefined;
    for (const [index, command] of commands.entries()) {
      const reply = replies[index] ?? null;
      if (queued === undefined || command.name === 'exec' || command.name === 'discard') {
        if (command.name === 'exec' && queued) this.#settleTransaction(queued, reply);
        if (command.name === 'discard') for (const each of queued ?? []) this.#count(each, 'ok');
        this.#settleOne(command, reply);
        queued = command.name === 'multi' && !(reply instanceof ReplyError) ? [] : undefined;
      } else if (reply instanceof ReplyError) this.#settleOne(command, reply);
      else queued.push(command);
    }
  }

  /** A batch whose replies did not come. */
  lose(commands: readonly SentCommand[]): void {
    for (const command of commands) this.#count(command, 'unknown');
  }

  #settleTransaction(queued: readonly SentCommand[], reply: Reply): void {
    for (const [index, command] of queued.entries()) {
      // Not an array: refused as a whole (EXECABORT, OOM), or null because a watched key changed.
      const own = Array.isArray(reply) ? (reply[index] ?? null) : reply;
      if (Array.isArray(reply)) this.#settleOne(command, own);
      else this.#count(command, 'failed');
    }
  }

  #settleOne(command: SentCommand, reply: Reply): void {
    if (reply instanceof ReplyError) this.errors.set(reply.kind, (this.errors.get(reply.kind) ?? 0) + 1);
    this.#count(command, reply instanceof ReplyError ? 'failed' : 'ok');
  }

  #count(command: SentCommand, outcome: Outcome): void {
    this.total[outcome]++;
    outcomesOf(this.perCommand, command.name)[outcome]++;
    const { run } = command;
    if (outcome !== 'ok' && run.worst !== 'failed') run.worst = outcome;
    if (--run.open === 0) outcomesOf(this.perOperation, run.name)[run.worst]++;
    command.settle?.(outcome);
  }
}

function outcomesOf(table: Map<string, Outcomes>, name: string): Outcomes {
  const known = table.get(name);
  if (known) return known;
  const fresh = { ok: 0, failed: 0, unknown: 0 };
  table.set(name, fresh);
  return fresh;
}
