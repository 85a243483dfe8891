/**
 * Looks at the target before an envelope that could do harm there: one that empties or swaps whole databases although
 * somebody else's keys are in them, or runs a script by a SHA1 that the target does not know. Such an envelope is not
 * executed at all, so nothing is lost: the link stops before it.
 *
 * Asked on a connection of its own: on the lane's one the envelope may already stand in a MULTI.
 */
import { Connection } from '../connect/connection.ts';
import { asError, SyncError } from '../errors.ts';
import type { Envelope } from './envelope.ts';
import { sharedTargetStop, unknownScriptStop } from './policy-stops.ts';
import { otherLinks } from './target-contents.ts';
import type { Target } from './target.ts';

export interface EnvelopeGuardOptions {
  link: string;
  target: Target;
  /** All data on the target was this link's when it began. */
  alone: boolean;
  signal: AbortSignal;
  onUnknownScripts: (shas: readonly string[], offset: bigint) => void;
}

export class EnvelopeGuard {
  readonly #options: EnvelopeGuardOptions;

  constructor(options: EnvelopeGuardOptions) {
    this.#options = options;
  }

  /** Nearly no envelope needs to be looked at. */
  concerns({ sweeping, scripts }: Envelope): boolean {
    return sweeping.length > 0 || scripts.length > 0;
  }

  /** @throws SyncError POLICY; what `Target.wait` gives up with. */
  async admit(envelope: Envelope): Promise<void> {
    const { sweeping, scripts } = envelope;
    const [others, unknown] = await this.#ask(async (connection) => [
      sweeping.length === 0 ? [] : await this.#othersOn(connection),
      scripts.length === 0 ? [] : await unknownScripts(connection, [...new Set(scripts)]),
    ]);
    const where = this.#options.target.describe();
    if (others[0] !== undefined) throw sharedTargetStop([...new Set(sweeping)].join(', '), others[0], where);
    if (unknown.length === 0) return;
    this.#options.onUnknownScripts(unknown, envelope.checkpoint.offset);
    throw unknownScriptStop(unknown, where);
  }

  async #othersOn(connection: Connection): Promise<string[]> {
    const { alone, link } = this.#options;
    if (!alone) return ['it had other keys when the link began'];
    const others = await otherLinks(connection, link);
    return others.length === 0 ? [] : [`other links write to it (${others.join(', ')})`];
  }

  async #ask<Answer>(question: (connection: Connection) => Promise<Answer>): Promise<Answer> {
    const { target, signal } = this.#options;
    for (;;) {
      try {
        const { endpoint } = await target.connect(signal);
        await using connection = await Connection.open(endpoint, { name: 'redis-sync:guard', signal });
        const onAbort = (): void => void connection.close();
        signal.addEventListener('abort', onAbort, { once: true });
        try {
          return await question(connection);
        } finally {
          signal.removeEventListener('abort', onAbort);
        }
      } catch (error) {
        if (!(error instanceof SyncError)) throw asError(error);
        await target.wait(error, signal);
      }
    }
  }
}

/** Of a target that does not tell, none: then its answer to the script itself will. */
async function unknownScripts(connection: Connection, shas: readonly string[]): Promise<string[]> {
  const reply = await connection.tryCall('SCRIPT', 'EXISTS', ...shas);
  return Array.isArray(reply) ? shas.filter((_, index) => reply[index] === 0) : [];
}
