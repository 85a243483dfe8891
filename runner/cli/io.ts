/**
 * The output seam: everything the product prints goes through an Io, so that tests can read it and a closed pipe hurts
 * nobody. Results go to `out` (stdout), logs and progress to `err` (stderr).
 */
import picocolors from 'picocolors';

export type Colors = ReturnType<typeof picocolors.createColors>;

export interface OutputFlags {
  /** One JSON document on stdout, nothing else there. */
  json: boolean;
  /** Only results and errors. */
  quiet: boolean;
  /** More on stderr: debug logs, stacks of unexpected errors. */
  verbose: boolean;
}

export interface Io extends OutputFlags {
  /** Writes a result, as it is: the caller ends its lines. */
  out(text: string): void;
  /** Writes a log or progress, as it is. */
  err(text: string): void;
  readonly outColors: Colors;
  readonly errColors: Colors;
  readonly outIsTty: boolean;
  readonly errIsTty: boolean;
  /** A build server: no animation, no cursor movement, even on what looks like a terminal. */
  readonly isCi: boolean;
  /** Width of stderr's terminal; 80 when it is none. */
  readonly columns: number;
  readonly env: NodeJS.ProcessEnv;
}

/** The part of a stream that we use. */
export interface OutputStream {
  write(text: string): unknown;
  isTTY?: boolean | undefined;
  columns?: number | undefined;
}

const NO_FLAGS: OutputFlags = { json: false, quiet: false, verbose: false };

export function createIo(out: OutputStream, err: OutputStream, env: NodeJS.ProcessEnv): Io {
  return {
    ...NO_FLAGS,
    out: (text) => void out.write(text),
    err: (text) => void err.write(text),
    outColors: picocolors.createColors(wantsColor(out, env)),
    errColors: picocolors.createColors(wantsColor(err, env)),
    outIsTty: out.isTTY === true,
    errIsTty: err.isTTY === true,
    isCi: isSet(env['CI']),
    columns: err.columns ?? 80,
    env,
  };
}

/** The Io of this process. Whoever reads our output may stop (`| head`): that is no error, the rest is not written. */
export function processIo(): Io {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
    });
  }
  return createIo(process.stdout, process.stderr, process.env);
}

/** The same Io with the command line's flags; `color: false` for --no-color. */
export function withFlags(io: Io, flags: Partial<OutputFlags> & { color?: boolean }): Io {
  const { color, ...output } = flags;
  const plain = picocolors.createColors(false);
  return { ...io, ...output, ...(color === false ? { outColors: plain, errColors: plain } : {}) };
}

/** FORCE_COLOR, then NO_COLOR (no-color.org), then: a terminal that is not dumb. */
function wantsColor(stream: OutputStream, env: NodeJS.ProcessEnv): boolean {
  const forced = env['FORCE_COLOR'];
  if (forced !== undefined) return forced !== '0' && forced !== 'false';
  if (env['NO_COLOR'] !== undefined && env['NO_COLOR'] !== '') return false;
  return stream.isTTY === true && env['TERM'] !== 'dumb';
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== '' && value !== 'false' && value !== '0';
}
