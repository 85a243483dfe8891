/** Keys that others own: a link whose source writes them breaks a rule of its spec, which is said, not prevented. */
import { KeyPattern } from '../keys/key-pattern.ts';
import { findKeys } from '../keys/key-positions.ts';
import type { CommandFrame } from '../resp/command-framer.ts';
import type { GrowingFindings } from './growing-findings.ts';
import { printKey } from './refusals.ts';

/** Patterns, as of KEYS, of the keys of another instance. */
export interface ForeignKeys {
  owner: string;
  patterns: readonly string[];
}

export class KeyOwners {
  readonly #others: readonly { owner: string; patterns: readonly KeyPattern[] }[];
  readonly #growing: GrowingFindings;
  readonly #positions: number[] = [];

  constructor(others: readonly ForeignKeys[], growing: GrowingFindings) {
    this.#others = others.map(({ owner, patterns }) => ({
      owner,
      patterns: patterns.map((text) => new KeyPattern(text)),
    }));
    this.#growing = growing;
  }

  /** A client of the source has sent it. */
  look(frame: CommandFrame, database: number): void {
    const { buffer, argc, argStart, argEnd } = frame;
    const positions = this.#positions;
    positions.length = 0;
    if (!findKeys(frame, positions) && argc > 1) positions.push(1);
    for (const position of positions) {
      const key = buffer.subarray(argStart[position], argEnd[position]);
      for (const { owner, patterns } of this.#others) {
        const pattern = patterns.find((each) => each.matches(key));
        if (pattern !== undefined) this.#report(frame, key, database, owner, pattern.text);
      }
    }
  }

  #report(frame: CommandFrame, key: Buffer, database: number, owner: string, pattern: string): void {
    const command = frame.buffer.toString('latin1', frame.argStart[0], frame.argEnd[0]).toUpperCase();
    this.#growing.add(
      {
        code: 'FOREIGN_WRITE',
        severity: 'error',
        message: `Clients of the source wrote keys that ${owner} owns (${pattern}).`,
        evidence: { owner, pattern },
      },
      { command, key: printKey(key), keyBase64: key.toString('base64'), database },
    );
  }
}
