/** Ctrl-C and SIGTERM as an AbortSignal for the command that runs; a second one ends the process at once. */
import { constants } from 'node:os';
import { SyncError } from '../../engine/errors.ts';
import type { Io } from './io.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Where signals come from: `process`, or an emitter in a test. */
export interface SignalSource {
  on(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown;
  off(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown;
  readonly exit: (code: number) => unknown;
}

export interface SignalOptions {
  /** Being interrupted is how the command is meant to end: its own exit code counts. Default false: 128 + signal. */
  isNormalEnd?: boolean;
  source?: SignalSource;
}

/** Runs the command; when it was interrupted, the exit code says so (130, 143), whatever the command returned or threw. */
export async function withSignals(
  io: Io,
  command: (signal: AbortSignal) => Promise<number>,
  options: SignalOptions = {},
): Promise<number> {
  const { isNormalEnd = false, source = process } = options;
  const controller = new AbortController();
  let received: NodeJS.Signals | undefined;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (received !== undefined) {
      source.exit(exitCodeOf(signal));
      return;
    }
    received = signal;
    if (!io.quiet) io.err(`\n${signal}: stopping; once more to stop at once\n`);
    controller.abort(new SyncError('ABORTED', `interrupted by ${signal}`));
  };
  for (const signal of SIGNALS) source.on(signal, onSignal);
  try {
    const exitCode = await command(controller.signal);
    return received === undefined || isNormalEnd ? exitCode : exitCodeOf(received);
  } catch (thrown) {
    const isOurAbort = received !== undefined && thrown instanceof SyncError && thrown.code === 'ABORTED';
    if (!isOurAbort) throw thrown;
    return exitCodeOf(received ?? 'SIGINT');
  } finally {
    for (const signal of SIGNALS) source.off(signal, onSignal);
  }
}

function exitCodeOf(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal];
}
