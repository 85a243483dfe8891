/** `scenarios:` – names of rehearsals and links that exist. Whether one fits is found out by trying it on the spec. */
import { ALL_SCENARIOS, parseScenarioName } from '../../plan/scenario-name.ts';
import { didYouMean } from '../suggest.ts';
import { checkLinkId, type RuleContext } from './rule.ts';

export function checkScenarios(context: RuleContext): void {
  const known = [ALL_SCENARIOS, ...context.registries.scenarios];
  for (const [position, written] of (context.spec.scenarios ?? []).entries()) {
    if (written === undefined) continue;
    const { scenario, link } = parseScenarioName(written);
    const path = ['scenarios', position];
    checkLinkId(context, link, path);
    // The beginning of several names stands for all of them.
    if (known.some((name) => name === scenario || name.startsWith(`${scenario}-`))) continue;
    context.report(path, 'value', {
      message: `there is no scenario "${scenario}"${didYouMean(scenario, known)}`,
      expected: 'a name that `redis-sync scenarios` lists, or all',
    });
  }
}
