/** The list of conflicts: every one in a file, as lines of JSON; the first of each kind in findings, all of them counted. */
import { createWriteStream, type WriteStream } from 'node:fs';
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { GrowingFindings } from '../../apply/growing-findings.ts';
import type { LinkFinding } from '../../apply/finding.ts';
import { printBytes } from '../../compare/explain/print.ts';
import type { ConflictPolicy, Contest } from './conflict-desk.ts';

export interface Decision {
  /** The side whose write wins; undefined when nobody knows who wrote (before a restart), or nothing is decided. */
  winner: string | undefined;
  /** The times of the writes are closer together than they are known. */
  undecidable: boolean;
}

const WORDS = {
  equal: '; all sides have the same value now.',
  different: ', and the sides differ.',
  open: '; the links were stopped before they were decided, which the next start does.',
};

export class ConflictList {
  readonly #policy: ConflictPolicy;
  readonly #file: WriteStream | undefined;
  readonly #growing: GrowingFindings;

  /** @param path of the file; without it there are only findings. */
  constructor(policy: ConflictPolicy, path: string | undefined, onFinding: (finding: LinkFinding) => void) {
    this.#policy = policy;
    this.#growing = new GrowingFindings(onFinding);
    if (path === undefined) return;
    mkdirSync(dirname(path), { recursive: true });
    this.#file = createWriteStream(path, { flags: 'a' });
  }

  /** @param end whether the sides have the same value now, or nobody has come to see to it before the links were stopped. */
  add(contest: Contest, decision: Decision, end: 'equal' | 'different' | 'open'): void {
    const { database, key, count, copies, writes, found } = contest;
    const entry = {
      key: printBytes(key),
      keyBase64: key.toString('base64'),
      database,
      conflicts: count,
      sides: [...(found ?? new Map<string, string>())].map(([side, value]) => {
        const write = writes.get(side);
        return {
          side,
          value,
          writtenAt: write === undefined ? null : new Date(write.atMs).toISOString(),
          errorMs: write === undefined || write.errorMs === Infinity ? null : Math.ceil(write.errorMs),
        };
      }),
      winner: decision.winner ?? null,
      rule: this.#policy,
      undecidable: decision.undecidable,
      copied: copies > 0,
      converged: end === 'equal',
    };
    this.#file?.write(`${JSON.stringify(entry)}\n`);
    this.#growing.add(
      {
        code: 'CONFLICT',
        severity: end === 'different' ? 'error' : 'warning',
        message: `Keys were written on several sides at once (rule: ${this.#policy})${WORDS[end]}`,
        evidence: { rule: this.#policy },
      },
      entry,
      Math.max(1, count),
    );
  }

  async close(): Promise<void> {
    this.#growing.flush();
    const file = this.#file;
    if (file !== undefined) await new Promise<void>((resolve) => file.end(resolve));
  }
}
