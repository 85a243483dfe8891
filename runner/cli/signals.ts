/**
 * Ctrl-C and SIGTERM as an AbortSignal for the command that runs; a second one ends the process at once. SIGHUP is the same,
 * or for a command that asks for it a request to read its configuration again.
 */
import { closeSync, openSync } from 'node:fs';
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
  /** Called at a SIGHUP that somebody sent; the one of a terminal that goes away still ends the command. */
  onReload?: () => void;
  source?: SignalSource;
  /** Is there a terminal? Asked at the start and at a SIGHUP. */
  hasTerminal?: () => boolean;
}

/** Runs the command; when it was interrupted, the exit code says so (130, 143), whatever the command returned or threw. */
export async function withSignals(
  io: Io,
  command: (signal: AbortSignal) => Promise<number>,
  options: SignalOptions = {},
): Promise<number> {
  const { isNormalEnd = false, source = process, onReload, hasTerminal = canOpenTerminal } = options;
  const hadTerminal = onReload !== undefined && hasTerminal();
  const controller = new AbortController();
  let received: NodeJS.Signals | undefined;
  const onSignal = (signal: NodeJS.Signals): void => {
    const isRequest = signal === 'SIGHUP' && hasTerminal() === hadTerminal;
    if (isRequest && onReload !== undefined) return onReload();
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

/** The controlling terminal; after it has hung up it can no longer be opened. */
function canOpenTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return true;
  } catch {
    return false;
  }
}

function exitCodeOf(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal];
}
