/** A target that is out of memory: said once each time it begins, with the command it refused and where the link is. */
import { SyncError } from '../errors.ts';
import type { OomPolicy } from '../link/options.ts';
import type { LinkFinding } from './finding.ts';
import { printKey, refusalBehind, type SentCommand } from './refusals.ts';

/** Where the link is when it is refused. */
export interface LinkPlace {
  /** `host:port` of the target. */
  where: string;
  /** -1 while the stream has not begun. */
  appliedOffset: bigint;
  /** Keys of the snapshot that are on the target. */
  snapshotKeys: number;
}

export class OomWatch {
  readonly #policy: OomPolicy;
  readonly #report: (finding: LinkFinding) => void;
  /** It is, and was said to be, out of memory. */
  #told = false;

  constructor(policy: OomPolicy, report: (finding: LinkFinding) => void) {
    this.#policy = policy;
    this.#report = report;
  }

  /** What the link stops with instead of trying again, if the failure is this one and the policy says so. */
  judge(failure: SyncError, place: LinkPlace): SyncError | undefined {
    const refusal = refusalBehind(failure);
    if (refusal?.reply.kind !== 'OOM') return undefined;
    const { command } = refusal;
    if (!this.#told) this.#report(this.#finding(command, refusal.reply.message, place));
    this.#told = true;
    if (this.#policy === 'wait') return undefined;
    return new SyncError('APPLY_REFUSED', `${failure.message} (policy: ${this.#policy})`, {
      where: place.where,
      hint:
        place.appliedOffset < 0n
          ? 'The target is out of memory. Raise its maxmemory and start the link again: the full sync begins anew.'
          : 'The target is out of memory. Raise its maxmemory and start the link again: it goes on with this command, nothing is lost.',
      cause: failure,
    });
  }

  /** It takes writes again. */
  worked(): void {
    this.#told = false;
  }

  #finding(command: SentCommand | undefined, reply: string, place: LinkPlace): LinkFinding {
    const { where, appliedOffset, snapshotKeys } = place;
    const inStream = appliedOffset >= 0n;
    const what = command === undefined ? 'a command' : `${command.name} ${printKey(command.key)}`;
    const behind = inStream ? `behind offset ${appliedOffset}` : `after ${snapshotKeys} keys of the snapshot`;
    return {
      code: 'OOM',
      severity: 'error',
      message: `Shard ${where} is out of memory: it refused ${what} ${behind}.`,
      evidence: {
        shard: where,
        phase: inStream ? 'stream' : 'full sync',
        ...(inStream ? { offset: String(appliedOffset) } : { snapshotKeys }),
        ...(command && {
          command: command.name,
          key: printKey(command.key),
          keyBase64: command.key.toString('base64'),
          database: command.database,
        }),
        reply,
        policy: this.#policy,
      },
    };
  }
}
