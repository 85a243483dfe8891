/** `expect:` as the plan has it: one line per thing that must hold, and equal data always among them. */
import { LEDGER_FIGURES } from '../../scenarios/checks/expectation.ts';
import { parseCount, parseLimit } from '../spec/quantities.ts';
import type { Expectation } from '../spec/spec.generated.ts';
import type { ExpectPlan } from './plan.ts';
import { durationOr, read } from './written.ts';

const QUANTILES = ['p50', 'p95', 'p99', 'max'] as const;

export function expandExpectations(items: readonly Expectation[], ttlToleranceMs: number): ExpectPlan[] {
  const expected = items.flatMap((item) => expandExpectation(item, ttlToleranceMs));
  const isListed = expected.some((item) => 'check' in item && item.check === 'data-equal');
  return isListed ? expected : [{ check: 'data-equal', ttlToleranceMs }, ...expected];
}

function expandExpectation(item: Expectation, ttlToleranceMs: number): ExpectPlan[] {
  if ('finding' in item) {
    const count = read(String(item.count), parseCount);
    return [
      item.link === undefined
        ? { finding: item.finding, count }
        : { finding: item.finding, link: item.link, count },
    ];
  }
  if ('metric' in item) return expandMetric(item);
  if (item.check === 'ledger') return expandLedger(item);
  if (item.check === 'counts') return [{ check: 'counts' }];
  return [{ check: 'data-equal', ttlToleranceMs: durationOr(item.tolerance?.ttl, ttlToleranceMs) }];
}

function expandLedger(item: Extract<Expectation, { check: 'ledger' }>): ExpectPlan[] {
  return LEDGER_FIGURES.flatMap((ledger) => {
    const written = item[ledger];
    return written === undefined ? [] : [{ ledger, count: read(String(written), parseCount) }];
  });
}

function expandMetric(item: Extract<Expectation, { metric: unknown }>): ExpectPlan[] {
  return QUANTILES.flatMap((quantile) => {
    const written = item[quantile];
    return written === undefined ? [] : [{ metric: item.metric, quantile, limit: read(written, parseLimit) }];
  });
}
