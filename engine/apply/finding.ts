/** A classified fact a lane or receiver came across; the runner turns it into a finding of the report. */
export interface LinkFinding {
  code: string;
  severity: 'notice' | 'warning' | 'error';
  message: string;
  evidence: Record<string, unknown>;
}

const MOST_OF_A_CODE = 100;

/**
 * Passes findings on, but of each code only the first hundred: a foreign value under a hot key would otherwise report every
 * command. The rest is in the counters.
 */
export class FindingLimit {
  readonly #pass: (finding: LinkFinding) => void;
  readonly #seen = new Map<string, number>();

  constructor(pass: (finding: LinkFinding) => void) {
    this.#pass = pass;
  }

  report(finding: LinkFinding): void {
    const seen = (this.#seen.get(finding.code) ?? 0) + 1;
    this.#seen.set(finding.code, seen);
    if (seen < MOST_OF_A_CODE) return this.#pass(finding);
    if (seen > MOST_OF_A_CODE) return;
    this.#pass({
      ...finding,
      message: `${finding.message} (Further findings of this kind are only counted.)`,
    });
  }
}
