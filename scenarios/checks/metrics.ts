/** Lines `metric: …`: a measured number stays inside the limit, on every link. Adding a metric is one line in METRICS. */
import { eventsOf } from '../../reports/history.ts';
import type { CheckResult, LinkResult } from '../../reports/results.ts';
import { result, type CheckContext, type CheckDefinition } from './check.ts';
import { describeBound, holds, type Expectation } from './expectation.ts';

type MetricExpectation = Extract<Expectation, { metric: string }>;
type Quantile = MetricExpectation['quantile'];
/** The number for one link, or null when it was not measured. */
type Metric = (link: LinkResult, quantile: Quantile, context: CheckContext) => number | null;

/** A metric without a distribution (one number per link) has that number at every quantile. */
export const METRICS: Readonly<Record<string, Metric>> = {
  lag_ms: (link, quantile) => (link.lagMs === null || link.lagMs.samples === 0 ? null : link.lagMs[quantile]),
  lag_bytes: (link, quantile, context) =>
    link.unmeasured?.includes('lagBytes') === true
      ? null
      : quantileOf(lagBytes(context, link.link), quantile),
  full_sync_ms: (link) => link.fullSync?.durationMs ?? null,
  peak_rss_bytes: (link) => (link.peakRssBytes > 0 ? link.peakRssBytes : null),
};

export const metrics: CheckDefinition = {
  name: 'metrics',
  summary: 'Each metric named in `expect:` stays inside its limit, on every link.',
  judge: (context) =>
    context.expect
      .filter((line): line is MetricExpectation => 'metric' in line)
      .map((line) => judgeMetric(context, line)),
};

function judgeMetric(context: CheckContext, line: MetricExpectation): CheckResult {
  const name = `metric:${line.metric} ${line.quantile}`;
  const metric = METRICS[line.metric];
  if (metric === undefined) return result(name, 'unknown', `There is no metric called ${line.metric}.`);
  const values = context.links.map((link) => ({
    link: link.link,
    value: metric(link, line.quantile, context),
  }));
  const expected = `expected ${describeBound(line.limit)}`;
  const outside = values.find(({ value }) => value !== null && !holds(line.limit, value));
  if (outside !== undefined) {
    return result(name, 'fail', `${outside.value} on link ${outside.link}; ${expected}.`, numbers(values));
  }
  const unmeasured = values.find(({ value }) => value === null);
  if (unmeasured !== undefined || values.length === 0) {
    return result(
      name,
      'unknown',
      `Not measured${unmeasured ? ` on link ${unmeasured.link}` : ''}; ${expected}.`,
    );
  }
  const words = values.map(({ link, value }) => `${value} on link ${link}`).join(', ');
  return result(name, 'pass', `${words}; ${expected}.`, numbers(values));
}

function numbers(values: readonly { link: string; value: number | null }[]): Record<string, number> {
  return Object.fromEntries(values.flatMap(({ link, value }) => (value === null ? [] : [[link, value]])));
}

function lagBytes(context: CheckContext, link: string): number[] {
  const samples = eventsOf(context.events, 'progress').filter((event) => event.link === link);
  return samples.filter((event) => event.phase === 'incremental').map((event) => event.lagBytes);
}

const RANKS: Record<Quantile, number> = { p50: 0.5, p95: 0.95, p99: 0.99, max: 1 };

/** Nearest rank; null of nothing. */
function quantileOf(samples: readonly number[], quantile: Quantile): number | null {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.ceil(RANKS[quantile] * sorted.length) - 1] ?? null;
}
