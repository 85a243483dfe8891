/** What every command gets: where to print, and the options that all commands share. */
import type { Io } from './io.ts';

export interface CommandContext {
  io: Io;
  /** --seed: instead of the spec's own. */
  seed?: number;
  /** --out: the folder that holds runs. */
  out: string;
  /** --keep: leave the servers up and say how to reach them. */
  keep: boolean;
}

/** What a run needs to know from the command line, besides its plan. */
export interface RunOptions {
  /** Runs are written to `<out>/runs/<id>/`. */
  out: string;
  keep: boolean;
  /** Aborted by Ctrl-C and SIGTERM: heal, stop, judge what there is, tear down. */
  signal: AbortSignal;
  /** A known-bad engine instead of the replicator, for a selftest. */
  engineCommand?: readonly string[];
}

export function runOptions(context: CommandContext, signal: AbortSignal): RunOptions {
  return { out: context.out, keep: context.keep, signal };
}
