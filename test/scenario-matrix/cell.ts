/** One scenario under one policy on one topology: what became of it. What is kept in docs/scenario-matrix.json. */
export interface Cell {
  scenario: string;
  variant: string;
  /** Name of the shipped spec. */
  spec: string;
  /** pass is what is expected of all that fit. late: it was ended because it took too long. */
  verdict: 'pass' | 'fail' | 'unknown' | 'late' | 'unfit';
  /** Why it is no pass. */
  reasons: readonly string[];
  findings: readonly string[];
  seconds: number;
  /** Name and version of the servers, like "redis 7.0.15"; empty when none ran. */
  server: string;
  /** Day it was run, as 2024-06-11. */
  day: string;
}

/** Cells with the same name are of the same place in the table. */
export function cellName({ scenario, variant, spec }: Pick<Cell, 'scenario' | 'variant' | 'spec'>): string {
  return `${scenario} (${variant}) on ${spec}`;
}

/** The old cells with the new ones in their places; what no longer exists goes. */
export function mergeCells(
  before: readonly Cell[],
  now: readonly Cell[],
  order: readonly Pick<Cell, 'scenario' | 'variant' | 'spec'>[],
): Cell[] {
  const known = new Map([...before, ...now].map((cell) => [cellName(cell), cell]));
  return order.flatMap((place) => known.get(cellName(place)) ?? []);
}
