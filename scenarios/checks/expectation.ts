/** One line of a spec's `expect:` in its core form, and the comparison it is judged with. */

export interface Bound {
  comparison: '=' | '>=' | '>' | '<' | '<=';
  value: number;
}

/** What the ledger of the clients' writes is asked for. */
export const LEDGER_FIGURES = ['lost', 'duplicated', 'reordered', 'unexpected'] as const;
export type LedgerFigure = (typeof LEDGER_FIGURES)[number];

export type Expectation =
  /** Expiries may differ by this much. Always expected; listed only to change the tolerance. */
  | { check: 'data-equal'; ttlToleranceMs: number }
  | { check: 'counts' }
  | { ledger: LedgerFigure; count: Bound }
  | { finding: string; link?: string; count: Bound }
  | { metric: string; quantile: 'p50' | 'p95' | 'p99' | 'max'; limit: Bound };

/** Whether `value` is inside the bound. */
export function holds(bound: Bound, value: number): boolean {
  switch (bound.comparison) {
    case '=':
      return value === bound.value;
    case '>=':
      return value >= bound.value;
    case '>':
      return value > bound.value;
    case '<':
      return value < bound.value;
    case '<=':
      return value <= bound.value;
    default:
      return bound.comparison satisfies never;
  }
}

/** `<= 3`, as it was written in the spec. */
export function describeBound(bound: Bound): string {
  return `${bound.comparison} ${bound.value}`;
}
