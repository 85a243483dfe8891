/** From the arguments of the command line to an exit code. Never throws, never ends the process. */
import { CommanderError } from 'commander';
import { ERROR_CODES } from '../../engine/errors.ts';
import { reportFailure } from './failure.ts';
import { withFlags, type Io } from './io.ts';
import { packageVersion } from './package-files.ts';
import { createProgram } from './program.ts';

/** commander's ways of saying that it printed what was asked for. */
const ASKED_FOR: ReadonlySet<string> = new Set(['commander.helpDisplayed', 'commander.version']);

/** `argv` without node and script: `['verify', 'specs/one-way.yaml']`. */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  try {
    const program = createProgram(withFlags(io, { color: !argv.includes('--no-color') }), packageVersion());
    await program.command.parseAsync(argv, { from: 'user' });
    return program.exitCode() ?? 0;
  } catch (thrown) {
    if (thrown instanceof CommanderError) return usageExitCode(thrown, argv, io);
    return reportFailure(
      thrown,
      withFlags(io, { json: argv.includes('--json'), verbose: hasAny(argv, '--verbose', '-v') }),
    );
  }
}

/** commander has printed its message already. */
function usageExitCode(error: CommanderError, argv: readonly string[], io: Io): number {
  if (ASKED_FOR.has(error.code)) return 0;
  const file = argv.find((word) => /\.ya?ml$/.test(word));
  const isBareSpec =
    error.code === 'commander.unknownCommand' &&
    file !== undefined &&
    file === argv.find((word) => !word.startsWith('-'));
  if (isBareSpec) io.err(`hint: redis-sync verify ${file}\n`);
  if (argv.includes('--json')) {
    const message = error.message.replace(/^error: /, '').replace(/\n.*/s, '');
    io.out(
      `${JSON.stringify({ error: { code: 'USAGE', message }, exitCode: ERROR_CODES.USAGE }, null, 2)}\n`,
    );
  }
  return ERROR_CODES.USAGE;
}

function hasAny(argv: readonly string[], ...words: readonly string[]): boolean {
  return words.some((word) => argv.includes(word));
}
