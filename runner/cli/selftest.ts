/** `redis-sync selftest`: proves that the checks catch known-bad engines. */
import { SyncError } from '../../engine/errors.ts';
import { CHECKS } from '../../scenarios/checks/registry.ts';
import { didYouMean } from '../spec/suggest.ts';
import type { CommandContext } from './context.ts';
import { withSignals } from './signals.ts';

export interface SelftestFlags {
  without?: string[];
  only?: string[];
  jobs?: number;
}

/** 0: all is as it must be. 1: something got away, or a good engine did not pass. */
export async function selftest(flags: SelftestFlags, { io }: CommandContext): Promise<number> {
  const { MUTANTS } = await import('../selftest/mutants.ts');
  requireKnown(
    '--without',
    flags.without ?? [],
    CHECKS.map(({ name }) => name),
  );
  requireKnown(
    '--only',
    flags.only ?? [],
    MUTANTS.map(({ name }) => name),
  );
  const { runSelftest } = await import('../selftest/run-selftest.ts');
  const { describeSelftest } = await import('../selftest/table.ts');
  return withSignals(io, async (signal) => {
    const report = await runSelftest({ ...flags, io, signal });
    io.out(io.json ? `${JSON.stringify(report, null, 2)}\n` : describeSelftest(report));
    return report.ok ? 0 : 1;
  });
}

function requireKnown(option: string, names: readonly string[], known: readonly string[]): void {
  const unknown = names.find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new SyncError('USAGE', `there is no "${unknown}"${didYouMean(unknown, known)}`, {
    where: option,
    hint: `Known: ${known.join(', ')}.`,
  });
}
