/** Reads what a target answers to an envelope: nothing that failed inside it passes silently. */
import { SyncError } from '../errors.ts';
import { ReplyError, type Reply } from '../resp/reply.ts';
import { count, type LinkCounters } from './counters.ts';
import type { Envelope } from './envelope.ts';
import { firstRefused, overtaken, tornError, wholeRefusal } from './exec-failures.ts';
import type { LinkFinding } from './finding.ts';
import { type SentCommand, findCommands, refusalFinding, wordRefusal } from './refusals.ts';
import { isLeftOut, reactionTo, unwrapRefusal } from './replies.ts';
import { isScript, type StreamReports } from './stream-reports.ts';
import type { Target } from './target.ts';

/** What came of an EXEC: applied without a failure. */
export interface Executed {
  failure: SyncError | undefined;
  /** Part of the envelope is on the target. */
  torn: boolean;
}

export interface ExecAnswersOptions {
  counters: LinkCounters;
  onFinding: (finding: LinkFinding) => void;
  target: Pick<Target, 'describe'>;
  reports: StreamReports;
  /** The refusal of this command is to be expected, and will be put right; the target has executed what stood around it. */
  forgives?: ((command: SentCommand) => boolean) | undefined;
}

export class ExecAnswers {
  readonly #options: ExecAnswersOptions;

  constructor(options: ExecAnswersOptions) {
    this.#options = options;
  }

  /** What came of an EXEC and the replies to what was queued before it. */
  read(envelope: Envelope, queued: Reply[], result: Reply): Executed {
    if (Array.isArray(result)) return this.#readElements(envelope, result);
    const where = this.#options.target.describe();
    if (result === null) return { failure: overtaken(where), torn: false };
    const refused = queued.findIndex((each) => each instanceof ReplyError);
    const answer = refused === -1 ? result : queued[refused];
    const error = answer instanceof ReplyError ? unwrapRefusal(answer) : answer;
    if (!(error instanceof ReplyError)) {
      const message = 'The target answered EXEC with something else than an array.';
      return { failure: new SyncError('PROTOCOL', message, { where }), torn: false };
    }
    count(this.#options.counters.errors, error.kind);
    // The commands behind a refused MULTI were executed one by one: sending them again would apply them twice.
    const torn = refused === 0 && queued.some((reply) => !(reply instanceof ReplyError));
    if (torn) return { failure: tornError('MULTI', error, where), torn };
    return { failure: wordRefusal(error, firstRefused(envelope, queued), where), torn };
  }

  /**
   * Commands that failed inside a transaction that was applied: counted and named, never silently passed. One that was not
   * executed because of a state that passes (rights that were taken away behind its queuing) cannot be made up for: what
   * came behind it was executed.
   */
  #readElements(envelope: Envelope, elements: Reply[]): Executed {
    const failed: number[] = [];
    for (let index = 0; index < elements.length; index++)
      if (elements[index] instanceof ReplyError) failed.push(index);
    let failure: SyncError | undefined;
    if (failed.length === 0) return { failure, torn: false };
    const { counters, onFinding, target, reports } = this.#options;
    const whole = failed[0] === 0 ? wholeRefusal(elements, (index) => isSelect(envelope, index)) : undefined;
    if (whole !== undefined) {
      count(counters.errors, whole.kind);
      const replies = [null, ...elements];
      return { failure: wordRefusal(whole, firstRefused(envelope, replies), target.describe()), torn: false };
    }
    // MULTI stands before the first element.
    for (const command of findCommands(
      envelope.bytes,
      failed.map((index) => index + 1),
    )) {
      const error = elements[command.index - 1];
      if (!(error instanceof ReplyError)) continue;
      const leftOut = isLeftOut(error);
      if (isScript(command) && !leftOut) {
        count(counters.handled, 'script errors');
        reports.scriptFailed(command, error);
        continue;
      }
      if (!leftOut && this.#options.forgives?.(command) === true) continue;
      count(counters.errors, error.kind);
      const { hint } = reactionTo(error);
      if (leftOut) failure ??= tornError(command.name, error, target.describe());
      onFinding(refusalFinding(error, command, target.describe(), { command: command.name, hint }));
    }
    return { failure, torn: failure !== undefined };
  }
}

/** Whether the element of the EXEC is of a SELECT. MULTI stands before the first one. */
function isSelect(envelope: Envelope, index: number): boolean {
  return findCommands(envelope.bytes, [index + 1]).every(({ name }) => name === 'SELECT');
}
