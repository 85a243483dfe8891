/** From all checks to one verdict, one sentence and one exit code. */
import { formatCount, plural } from '../../reports/display.ts';
import { eventsOf } from '../../reports/history.ts';
import type { CheckResult, LinkFigure, Verdict } from '../../reports/results.ts';
import { result, sum, type CheckContext, type CheckDefinition } from './check.ts';
import { cutOffLinks, NEED_ARRIVAL } from './cut-off.ts';
import { exitCodeOfError, exitCodeOfSignal, exitCodeOfVerdict } from './exit-code.ts';
import { CHECKS } from './registry.ts';
import { runCompleted } from './run-completed.ts';

export interface Judgement {
  verdict: Verdict;
  /** One sentence for a person. */
  summary: string;
  exitCode: number;
  checks: CheckResult[];
}

/** Runs every check and merges: fail > unknown > pass. A check that throws is unknown; nothing judged is unknown. */
export function judge(context: CheckContext, definitions: readonly CheckDefinition[] = CHECKS): Judgement {
  const checks = definitions.flatMap((definition) => runCheck(definition, context));
  const verdict = mergeVerdicts(checks);
  return {
    verdict,
    summary: summarize(verdict, checks, context),
    exitCode: exitCodeOf(verdict, context),
    checks,
  };
}

function runCheck(definition: CheckDefinition, context: CheckContext): CheckResult[] {
  try {
    return definition.judge(context).map((each) => withoutBlame(each, context));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return [result(definition.name, 'unknown', `The check itself failed: ${why}`)];
  }
}

/** What a target lacks whose link was cut off may only not have arrived: nobody can tell. */
function withoutBlame(check: CheckResult, context: CheckContext): CheckResult {
  if (check.verdict !== 'fail' || !NEED_ARRIVAL.has(check.check)) return check;
  const [link] = cutOffLinks(context);
  if (link === undefined) return check;
  const summary = `${check.summary} But link ${link} was cut off before everything had arrived.`;
  return { ...check, verdict: 'unknown', summary };
}

/** fail > unknown > pass; skipped checks do not count, and nothing at all is unknown. */
export function mergeVerdicts(checks: readonly Pick<CheckResult, 'verdict'>[]): Verdict {
  const verdicts = checks.map((check) => check.verdict);
  if (verdicts.includes('fail')) return 'fail';
  if (verdicts.includes('unknown') || !verdicts.includes('pass')) return 'unknown';
  return 'pass';
}

function exitCodeOf(verdict: Verdict, { events, error }: CheckContext): number {
  const interrupted = eventsOf(events, 'interrupted').at(-1);
  if (interrupted !== undefined) return exitCodeOfSignal(interrupted.signal);
  if (error !== null && verdict !== 'fail') return exitCodeOfError(error.code);
  return exitCodeOfVerdict(verdict);
}

function summarize(verdict: Verdict, checks: readonly CheckResult[], context: CheckContext): string {
  if (verdict === 'pass') return describeSuccess(context);
  const decisive = checks.filter((check) => check.verdict === verdict);
  const [first] = decisive;
  if (first === undefined) return 'Nothing could be judged.';
  // What did not happen because the run ended early needs no counting.
  const more = first.check === runCompleted.name ? 0 : decisive.length - 1;
  const others =
    more > 0 ? ` ${plural(more, 'more check')} ${verdict === 'fail' ? 'failed' : 'could not tell'}.` : '';
  return verdict === 'fail'
    ? `${first.summary}${others}`
    : `Could not tell: ${lowerFirst(first.summary)}${others}`;
}

function describeSuccess({ comparison, links }: CheckContext): string {
  const keys = comparison?.keysCompared ?? 0;
  const streamed = sum(links.map((link) => link.stream.commands));
  const copied = sum(links.map((link) => link.fullSync?.keys ?? 0));
  const isTold = (figure: LinkFigure): boolean =>
    !links.some(({ unmeasured }) => unmeasured?.includes(figure));
  const told = [
    ...(isTold('copyKeys') ? [`copying ${plural(copied, 'key')}`] : []),
    ...(isTold('commands') ? [`streaming ${plural(streamed, 'command')}`] : []),
  ];
  const how = links.length === 0 || told.length === 0 ? '' : ` after ${told.join(' and ')}`;
  return keys === 0
    ? `Both sides are empty${how}.`
    : `All ${formatCount(keys)} keys are equal on source and target${how}.`;
}

/** Names in capitals (OOM, INFO) stay as they are. */
function lowerFirst(text: string): string {
  return /^[A-Z][a-z ]/.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text;
}
