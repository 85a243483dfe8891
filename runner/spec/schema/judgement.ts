/** `compare:`, `expect:` and `report:` – how the outcome is proven, judged and written down. */
import { LEDGER_FIGURES, type LedgerFigure } from '../../../scenarios/checks/expectation.ts';
import { METRICS } from '../../../scenarios/checks/metrics.ts';
import { DEFAULT_COMPARE, DEFAULT_REPORT_FORMATS } from '../../plan/defaults.ts';
import { formatDuration } from '../quantities.ts';
import { closed, duration, name, whole, type JsonSchema } from './piece.ts';

export const QUANTILES = ['p50', 'p95', 'p99', 'max'] as const;

export const compareSchema = closed('How source and target are compared after the links have drained.', {
  method: {
    description:
      'auto = choose; snapshot = receive both snapshots and join them; commands = read both sides with commands.',
    type: 'string',
    enum: ['auto', 'snapshot', 'commands'],
    default: DEFAULT_COMPARE.method,
  },
  ttlTolerance: duration('Times to live that differ by no more than this are equal.', {
    default: formatDuration(DEFAULT_COMPARE.ttlToleranceMs),
  }),
  rounds: whole('How often differing keys are looked at again before the difference counts.', 1, {
    maximum: 100,
    default: DEFAULT_COMPARE.rounds,
  }),
});

const limit = (quantile: string): JsonSchema => ({
  description: `Limit of the ${quantile}, e.g. "< 1500".`,
  type: 'string',
  quantity: 'limit',
  pattern: '^(>=|>|<=|<) *[0-9]+(\\.[0-9]+)?$',
});

const dataEqual = closed(
  'Every key, value and time to live is the same on both sides. Always expected, listed or not.',
  {
    check: { description: 'Name of the check.', type: 'string', const: 'data-equal' },
    tolerance: closed('What may differ.', {
      ttl: duration(
        'Times to live that differ by no more than this are equal. Default: compare.ttlTolerance.',
      ),
    }),
  },
  { required: ['check'] },
);

const counts = closed(
  'Every database has the same number of keys on both sides.',
  { check: { description: 'Name of the check.', type: 'string', const: 'counts' } },
  { required: ['check'] },
);

const howMany = (description: string): JsonSchema => ({
  description,
  type: ['string', 'integer'],
  quantity: 'count',
  pattern: '^((>=|>|<=|<|=) *)?[0-9]+$',
});

const LEDGER_MEANINGS: Readonly<Record<LedgerFigure, string>> = {
  lost: 'Acknowledged writes that are not there at the end, also those that their source lost itself in a fault.',
  duplicated: 'Writes that are there more often than once.',
  reordered: 'Writes that are behind a later one of the same client.',
  unexpected: 'Writes that are there although they were refused or never made.',
};

const ledger = closed(
  'What became of the writes that clients were told had succeeded.',
  {
    check: { description: 'Name of the check.', type: 'string', const: 'ledger' },
    ...Object.fromEntries(
      LEDGER_FIGURES.map((figure) => [figure, howMany(`${LEDGER_MEANINGS[figure]} 0, "<= 10".`)]),
    ),
  },
  { required: ['check'], minProperties: 2, rule: `a figure: ${LEDGER_FIGURES.join(', ')}, e.g. lost: 0` },
);

const finding = closed(
  'How often something may be found.',
  {
    finding: {
      description: 'Code of the finding, e.g. FULL_RESYNC.',
      type: 'string',
      pattern: '^[A-Z][A-Z0-9_]*$',
      rule: 'a finding code in capitals, e.g. FULL_RESYNC',
    },
    link: name('Only findings of this link.'),
    count: howMany('How often: 0, "<= 1", ">= 3".'),
  },
  { required: ['finding', 'count'] },
);

const metric = closed(
  'Limits of something measured.',
  {
    metric: { description: 'What is measured.', type: 'string', enum: Object.keys(METRICS) },
    ...Object.fromEntries(QUANTILES.map((quantile) => [quantile, limit(quantile)])),
  },
  { required: ['metric'], minProperties: 2, rule: `a limit: ${QUANTILES.join(', ')}, e.g. p95: "< 1500"` },
);

export const expectationSchema: JsonSchema = {
  description: 'Something that must hold at the end.',
  oneOf: [dataEqual, counts, ledger, finding, metric],
};

export function reportSchema(formats: readonly string[]): JsonSchema {
  return closed('What is written into the run folder, besides the summary on the terminal.', {
    formats: {
      description: 'Files to write.',
      type: 'array',
      items: { type: 'string', enum: formats },
      uniqueItems: true,
      default: DEFAULT_REPORT_FORMATS,
    },
  });
}
