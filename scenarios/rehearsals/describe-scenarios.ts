/** The list of scenarios as a page of the documentation. Pure. */
import type { DeclaredScenario, Scenario } from './scenario.ts';

/** docs/scenarios.md. */
export function describeScenarios(
  scenarios: readonly Scenario[],
  declared: readonly DeclaredScenario[],
): string {
  const rows = scenarios.map(({ name, row, statements, summary, variants }) => {
    const expects = variants.map((variant) => `**${variant.name}**: ${variant.expects}`).join('<br>');
    return `| \`${name}\` | ${row} | ${statements.join(' ') || '–'} | ${summary} | ${expects} |`;
  });
  const others = declared.map(
    ({ name, row, statements, summary, unavailable }) =>
      `| \`${name}\` | ${row} | ${statements.join(' ') || '–'} | ${summary} | ${unavailable} |`,
  );
  return `${HEAD}${rows.join('\n')}\n${DECLARED_HEAD}${others.join('\n')}\n`;
}

const HEAD = `# Scenarios

Named rehearsals of the manuals' precautions. Generated from the registry (\`npm run generate\`).

    redis-sync scenarios                                          lists them
    redis-sync verify SPEC --scenario flush-source,oom-target     rehearses some
    redis-sync verify SPEC --scenario all                         rehearses all that fit the spec

Each variant runs on a fresh copy of the spec's topology, with the spec's data and workload, and has a verdict of its own: \`pass\` when what had
to be seen was seen, which for some is a link that stops or data that differs. A fault without its finding is a \`fail\`, a fault that did not bite
is \`unknown\`, and what does not apply to the spec is \`unfit\` with the reason.

| scenario | catalogue | statements | what happens | what must be seen |
|---|---|---|---|---|
`;

const DECLARED_HEAD = `
## Not rehearsed here

| scenario | catalogue | statements | what would happen | why not |
|---|---|---|---|---|
`;
