/**
 * What could not be carried over because the target has no way to represent it. Counted per kind with a few keys as
 * samples; never silent, and never one finding per key of a million.
 */
import { printKey } from '../refusals.ts';
import type { LinkFinding } from '../finding.ts';

export type LossKind =
  | 'field-ttl'
  | 'stream-type'
  | 'stream-counters'
  | 'stream-pending-deleted'
  | 'stream-pending-unowned'
  | 'module'
  | 'eviction-hint'
  | 'functions';

interface Wording {
  severity: LinkFinding['severity'];
  /** Follows the count. */
  what: string;
  consequence: string;
}

const WORDINGS: Record<LossKind, Wording> = {
  'field-ttl': {
    severity: 'warning',
    what: 'hash field(s) have an expiry of their own, which the target does not know',
    consequence: 'They stay without expiry until the source removes them (its HDEL is replicated).',
  },
  'stream-type': {
    severity: 'error',
    what: 'stream(s) are missing on the target, which is older than 5.0',
    consequence: 'The keys are not on the target. Use a target of 5.0 or later.',
  },
  'stream-counters': {
    severity: 'notice',
    what: 'stream(s) lost their counters (entries-added, max-deleted-id, entries-read)',
    consequence:
      'Entries and groups are complete; only the lag that XINFO computes from the counters is missing.',
  },
  'stream-pending-deleted': {
    severity: 'warning',
    what: 'pending entries of deleted messages were left out',
    consequence: 'The messages are gone on both sides; XPENDING counts fewer on the target.',
  },
  'stream-pending-unowned': {
    severity: 'warning',
    what: 'pending entries that nobody owns were given to a consumer without a name',
    consequence: 'Claim them from the consumer "" on the target.',
  },
  module: {
    severity: 'error',
    what: 'module value(s) are missing on the target, which cannot load them',
    consequence: 'Load the same module on the target, or move these keys with the module’s own tools.',
  },
  'eviction-hint': {
    severity: 'notice',
    what: 'key(s) lost their idle time or access frequency',
    consequence: 'Only the order of eviction is affected, until the keys are used again.',
  },
  functions: {
    severity: 'warning',
    what: 'function libraries or commands were left out: the target knows no functions',
    consequence: 'Data written by functions is replicated; FCALL does not work on the target.',
  },
};

const SAMPLES_MAX = 5;

interface Tally {
  count: number;
  keys: string[];
}

export class Losses {
  readonly #onFinding: (finding: LinkFinding) => void;
  readonly #onCount: (kind: LossKind, count: number) => void;
  readonly #tallies = new Map<LossKind, Tally>();

  /** `onCount` is called at once for each loss. */
  constructor(options: {
    onFinding: (finding: LinkFinding) => void;
    onCount: (kind: LossKind, count: number) => void;
  }) {
    this.#onFinding = options.onFinding;
    this.#onCount = options.onCount;
  }

  add(kind: LossKind, key: Buffer, count = 1): void {
    this.#onCount(kind, count);
    const tally = this.#tallies.get(kind) ?? { count: 0, keys: [] };
    tally.count += count;
    const sample = printKey(key);
    if (tally.keys.length < SAMPLES_MAX && !tally.keys.includes(sample)) tally.keys.push(sample);
    this.#tallies.set(kind, tally);
  }

  /** One finding per kind of what was lost since the last report. */
  report(): void {
    for (const [kind, { count, keys }] of this.#tallies) {
      const { severity, what, consequence } = WORDINGS[kind];
      this.#onFinding({
        code: 'UNSUPPORTED_COMMAND',
        severity,
        message: `${count} ${what}, for example ${keys.join(', ')}. ${consequence}`,
        evidence: { loss: kind, count, keys },
      });
    }
    this.#tallies.clear();
  }
}
