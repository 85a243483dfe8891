/**
 * Looks at every source that has answered PSYNC: is it where and who it was (ENDPOINT_CHANGED), and does it still have the
 * data it had (SOURCE_REGRESSED, which the policy `emptySource` makes the end of the link, before anything is applied)?
 */
import { describeEndpoint } from '../connect/endpoint.ts';
import { asError, SyncError } from '../errors.ts';
import type { LinkFinding } from '../apply/finding.ts';
import type { ReplicationPosition } from '../psync/handshake.ts';
import type { SourcePeer } from '../psync/receiver.ts';
import type { ClockOffset } from './clock-offset.ts';
import type { EmptySourcePolicy } from './options.ts';
import { findRegression, type Regression } from './regression.ts';
import { readSourceFacts, type SourceFacts } from './source-facts.ts';

export interface SourceGuardOptions {
  emptySource: EmptySourcePolicy;
  /** Keys that we write to the source ourselves, at most. */
  ownKeys: number;
  /** The last offset up to `before` that held a write, as far as the lanes know. */
  lastWrite: (before: ReplicationPosition) => bigint;
  /** Keys on the targets, the fullest one counts; null when none can be asked. */
  countTargetKeys: (signal: AbortSignal) => Promise<number | null>;
  onFinding: (finding: LinkFinding) => void;
  /** Is told the source's time. */
  clock?: ClockOffset;
}

interface Known {
  /** `host:port`, and behind it the address if that is a name. */
  address: string;
  /** Empty when it could not be asked. */
  runId: string;
}

export class SourceGuard {
  readonly #options: SourceGuardOptions;
  #known: Known | undefined;

  constructor(options: SourceGuardOptions) {
    this.#options = options;
  }

  /** @throws SyncError POLICY when the source has gone backwards; CONNECT when it went away while we looked. */
  async admit(peer: SourcePeer, signal: AbortSignal): Promise<void> {
    const { answer, before } = peer;
    const isResync = answer.kind === 'full' && before !== undefined;
    const facts = await readSourceFacts(peer.endpoint, signal, this.#options.clock).catch((error: unknown) =>
      asError(error),
    );
    if (signal.aborted) return;
    if (isResync) await this.#refuseRegression(peer, before, facts, signal);
    this.#compare(peer, facts instanceof Error ? undefined : facts);
  }

  async #refuseRegression(
    peer: SourcePeer,
    before: ReplicationPosition,
    facts: SourceFacts | Error,
    signal: AbortSignal,
  ): Promise<void> {
    const { emptySource, ownKeys, lastWrite, countTargetKeys, onFinding } = this.#options;
    if (facts instanceof Error) {
      if (emptySource === 'fail') throw cannotTell(peer, facts);
      return;
    }
    const targetKeys = await countTargetKeys(signal);
    const regression = findRegression({
      before,
      lastWrite: lastWrite(before),
      source: facts,
      ownKeys,
      targetKeys,
    });
    if (regression === null || signal.aborted) return;
    const message = wordRegression(regression, before);
    onFinding({
      code: 'SOURCE_REGRESSED',
      severity: emptySource === 'fail' ? 'error' : 'warning',
      message: emptySource === 'fail' ? message : `${message} The policy is to follow it.`,
      evidence: {
        address: describeEndpoint(peer.endpoint),
        policy: emptySource,
        runId: facts.runId,
        runIdBefore: this.#known?.runId ?? '',
        replid: facts.replid,
        replidBefore: before.replid,
        offset: String(facts.offset),
        offsetBefore: String(before.offset),
        sourceKeys: facts.keys,
        targetKeys,
      },
    });
    if (emptySource === 'fail') throw refuse(message, peer);
  }

  #compare(peer: SourcePeer, facts: SourceFacts | undefined): void {
    const before = this.#known;
    const now: Known = { address: addressOf(peer), runId: facts?.runId ?? '' };
    this.#known = now;
    if (before === undefined) return;
    const isOther = now.runId !== '' && before.runId !== '' && now.runId !== before.runId;
    if (now.address === before.address && !isOther) return;
    const continued = peer.answer.kind === 'continue';
    const where =
      now.address === before.address
        ? `The source at ${now.address} is another process than before`
        : `The source is at ${now.address} now; it was at ${before.address}`;
    this.#options.onFinding({
      code: 'ENDPOINT_CHANGED',
      severity: 'warning',
      message: `${where}. ${continued ? 'The stream goes on where it was.' : 'It could not go on: everything is copied again.'}`,
      evidence: {
        side: 'source',
        from: before.address,
        to: now.address,
        runIdBefore: before.runId,
        runId: now.runId,
        replid: peer.answer.replid,
        continued,
      },
    });
  }
}

function addressOf({ endpoint, address }: SourcePeer): string {
  const named = describeEndpoint(endpoint);
  return named.includes(address) ? named : `${named} (${address})`;
}

function wordRegression(regression: Regression, before: ReplicationPosition): string {
  if (regression.kind === 'history') {
    return `The source has lost writes that the target has: its history ends at offset ${regression.endsAt}, the target has it up to ${before.offset} (${regression.lostBytes} bytes more).`;
  }
  const { isEmpty, sourceKeys, targetKeys } = regression;
  const has = isEmpty ? 'no key any more' : `only ${sourceKeys} keys`;
  return `The source has ${has}; the target has ${targetKeys === null ? 'what was replicated before' : targetKeys}.`;
}

function refuse(message: string, { endpoint }: SourcePeer): SyncError {
  return new SyncError('POLICY', message, {
    where: describeEndpoint(endpoint),
    hint: 'The target is as it was. Did the source restart without its data, or fail over to a replica that was behind? Restore it, or set engine.emptySource to follow, to make the target what the source is now.',
  });
}

function cannotTell({ endpoint }: SourcePeer, cause: Error): SyncError {
  // Only what is about to pass may be waited for; a missing right is a matter of policy.
  if (cause instanceof SyncError && cause.retryable) return cause;
  return new SyncError(
    'POLICY',
    `The source does not let the link continue, and whether it still has its data cannot be told: ${cause.message}`,
    {
      where: describeEndpoint(endpoint),
      hint: 'Allow INFO to the account on the source (ACL SETUSER <user> +info), or set engine.emptySource to follow.',
      cause,
    },
  );
}
