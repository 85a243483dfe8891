/** What a cluster cannot take as it came: commands over several slots, transactions over several, other databases. */
import { SyncError } from '../../errors.ts';
import type { EngineOptions } from '../../link/options.ts';
import { count, type LinkCounters } from '../counters.ts';
import type { LinkFinding } from '../finding.ts';
import type { GrowingFindings } from '../growing-findings.ts';
import { printKey } from '../refusals.ts';
import type { KeyRefetch } from './key-refetch.ts';
import { splitBySlot, type CrossSlotCommand } from './slot-rounds.ts';

const KEYS_SHOWN = 10;

export interface CrossSlotOptions {
  engine: EngineOptions;
  counters: LinkCounters;
  onFinding: (finding: LinkFinding) => void;
  growing: GrowingFindings;
  /** For the policy `refetch`. */
  refetch?: KeyRefetch | undefined;
}

export class CrossSlot {
  readonly #options: CrossSlotOptions;

  constructor(options: CrossSlotOptions) {
    this.#options = options;
  }

  /** One command per slot. @throws SyncError POLICY when the policy does not allow it, or it cannot be taken apart. */
  take(command: CrossSlotCommand): readonly { slot: number; bytes: Buffer }[] {
    const { engine, counters, growing, refetch } = this.#options;
    const policy = engine.crossSlot ?? 'fail';
    const parts = policy === 'fail' ? undefined : splitBySlot(command.frame);
    if (parts === undefined && policy === 'refetch' && refetch !== undefined)
      return this.#refetch(command, refetch);
    if (parts === undefined) throw this.#refuse(command, policy);
    count(counters.handled, `split ${command.name.toLowerCase()}`);
    growing.add(
      {
        code: 'CROSSSLOT',
        severity: 'warning',
        message: `${command.name} over several slots was applied slot by slot: whoever reads the target may see a part of it.`,
        evidence: { command: command.name, policy, result: 'split' },
      },
      { keys: command.keys.slice(0, KEYS_SHOWN).map(printKey) },
    );
    return parts;
  }

  #refetch({ name, keys, offset }: CrossSlotCommand, refetch: KeyRefetch): { slot: number; bytes: Buffer }[] {
    const { counters, growing } = this.#options;
    count(counters.handled, `refetched ${name.toLowerCase()}`);
    growing.add(
      {
        code: 'CROSSSLOT',
        severity: 'warning',
        message: `${name} over several slots was left out, and its keys read from the source again.`,
        evidence: { command: name, policy: 'refetch', result: 'refetched' },
      },
      { keys: keys.slice(0, KEYS_SHOWN).map(printKey) },
    );
    return refetch.note(keys, offset);
  }

  /** A transaction of the source in so many slots: applied slot by slot. */
  splitTransaction(slots: number, offset: number): void {
    const { counters, growing } = this.#options;
    count(counters.handled, 'transactions split');
    growing.add(
      {
        code: 'CROSSSLOT',
        severity: 'warning',
        message: 'A transaction over several slots was applied slot by slot: it is not atomic on the target.',
        evidence: { command: 'MULTI', result: 'atomicity lost' },
      },
      { slots, offset: String(offset) },
    );
  }

  /** @throws SyncError POLICY: a cluster has only database 0. */
  refuseDatabase(database: number, name: string, offset: number): never {
    const message = `${name} on the source in database ${database}: a cluster has only database 0.`;
    this.#options.onFinding({
      code: 'UNSUPPORTED_COMMAND',
      severity: 'error',
      message,
      evidence: { command: name, database, offset: String(offset) },
    });
    throw new SyncError('POLICY', message, {
      hint: 'Nothing of it was applied. Move the application to database 0, or replicate to a server that is no cluster.',
    });
  }

  #refuse({ name, keys, slots, inTransaction, offset }: CrossSlotCommand, policy: string): SyncError {
    const shown = keys.slice(0, KEYS_SHOWN).map(printKey);
    const message = `${name} ${shown.join(' ')} has keys in ${new Set(slots).size} slots: CROSSSLOT Keys in request don't hash to the same slot (policy: ${policy}).`;
    this.#options.onFinding({
      code: 'CROSSSLOT',
      severity: 'error',
      message,
      evidence: {
        command: name,
        keys: shown,
        slots: slots.slice(0, KEYS_SHOWN),
        policy,
        inTransaction,
        offset: String(offset),
        result: 'stopped',
      },
    });
    return new SyncError('POLICY', message, {
      hint:
        policy === 'fail'
          ? 'The link stops before it, because engine.crossSlot is "fail". Set it to "split" (commands that fall apart by key) or "refetch", or use hash tags in the application.'
          : 'The link stops before it: it does not fall apart by key. Set engine.crossSlot to "refetch", or use hash tags in the application.',
    });
  }
}
