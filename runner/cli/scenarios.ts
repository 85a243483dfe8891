/** `redis-sync scenarios`: lists the named rehearsals, and the rows of the catalogue that are only declared. */
import { DECLARED } from '../../scenarios/rehearsals/declared.ts';
import { SCENARIOS } from '../../scenarios/rehearsals/registry.ts';
import type { CommandContext } from './context.ts';

export function scenarios({ io }: CommandContext): number {
  if (io.json) {
    const listed = SCENARIOS.map(({ variants, ...scenario }) => ({
      ...scenario,
      variants: variants.map(({ name, expects }) => ({ name, expects })),
    }));
    io.out(`${JSON.stringify({ scenarios: listed, declared: DECLARED }, null, 2)}\n`);
    return 0;
  }
  const { bold, dim } = io.outColors;
  for (const { name, summary, statements, variants } of SCENARIOS) {
    const origin = statements.length > 0 ? dim(` ${statements.join(' ')}`) : '';
    io.out(`${bold(name.padEnd(24))} ${summary}${origin}\n`);
    for (const variant of variants)
      io.out(`${' '.repeat(25)}${dim(`${variant.name}:`)} ${variant.expects}\n`);
  }
  io.out('\nNot rehearsed here:\n');
  for (const { name, summary, unavailable } of DECLARED)
    io.out(`${bold(name.padEnd(24))} ${summary} ${dim(unavailable)}\n`);
  return 0;
}
