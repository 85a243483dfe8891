/**
 * Facts that repeat: the same one again and again is told when it first happens, whenever its number has doubled, and at
 * the end. Each telling has the same message and says how many so far; a report shows the last one. `complete` says whether
 * the samples are all there were.
 */
import type { LinkFinding } from './finding.ts';

export interface GrowingFact {
  code: string;
  severity: LinkFinding['severity'];
  /** The same words every time. */
  message: string;
  /** What is known once; `count` and the samples are added. */
  evidence?: Record<string, unknown>;
  /** The samples cannot name everything that is concerned, however many there are. */
  partial?: boolean;
}

const SAMPLES_MAX = 20;
/** Of one code. What comes beyond is in the counters only. */
const FACTS_MAX = 100;

interface Growing {
  fact: GrowingFact;
  count: number;
  told: number;
  samples: Map<string, unknown>;
  /** There was more than the samples say. */
  unnamed: boolean;
}

export class GrowingFindings {
  readonly #report: (finding: LinkFinding) => void;
  readonly #all = new Map<string, Growing>();
  readonly #perCode = new Map<string, number>();

  constructor(report: (finding: LinkFinding) => void) {
    this.#report = report;
  }

  /**
   * @param sample a place where it happened, listed under `samples`, the first twenty different ones.
   * @param by how many at once; 0 only adds the sample.
   */
  add(fact: GrowingFact, sample?: unknown, by = 1): void {
    const growing = this.#find(fact);
    if (growing === undefined) return;
    growing.count += by;
    // What is known may have changed: the newest counts.
    growing.fact = fact;
    keep(growing, sample);
    if (growing.count > growing.told && growing.count >= 2 * growing.told) this.#tell(growing);
  }

  /** More is known about a fact that was told already: told again at the next flush, even if it has not grown. */
  refresh(fact: GrowingFact): void {
    const growing = this.#all.get(`${fact.code} ${fact.message}`);
    if (growing === undefined) return;
    growing.fact = fact;
    growing.told = Math.min(growing.told, growing.count - 1);
  }

  /** Tells of everything that has grown since it was told. */
  flush(): void {
    for (const growing of this.#all.values()) if (growing.count > growing.told) this.#tell(growing);
  }

  #find(fact: GrowingFact): Growing | undefined {
    const id = `${fact.code} ${fact.message}`;
    const known = this.#all.get(id);
    if (known !== undefined) return known;
    const others = this.#perCode.get(fact.code) ?? 0;
    if (others >= FACTS_MAX) return undefined;
    this.#perCode.set(fact.code, others + 1);
    const growing: Growing = { fact, count: 0, told: 0, samples: new Map(), unnamed: fact.partial === true };
    this.#all.set(id, growing);
    return growing;
  }

  #tell(growing: Growing): void {
    const { fact, count, samples } = growing;
    growing.told = count;
    const { code, severity, message, evidence } = fact;
    const listed = samples.size === 0 ? {} : { samples: [...samples.values()], complete: !growing.unnamed };
    this.#report({ code, severity, message, evidence: { ...evidence, count, ...listed } });
  }
}

function keep(growing: Growing, sample: unknown): void {
  const id = sample === undefined ? undefined : JSON.stringify(sample);
  if (id !== undefined && (growing.samples.size < SAMPLES_MAX || growing.samples.has(id)))
    growing.samples.set(id, sample);
  else growing.unnamed = true;
}
