/** Runs the command line in this process and keeps what it printed. */
import { createIo, type Io } from '../../../runner/cli/io.ts';
import { main } from '../../../runner/cli/main.ts';

export interface Captured {
  exitCode: number;
  out: string;
  err: string;
}

export interface CapturedIo {
  io: Io;
  readonly out: () => string;
  readonly err: () => string;
}

export function captureIo(env: NodeJS.ProcessEnv = {}, isTTY = false): CapturedIo {
  const out: string[] = [];
  const err: string[] = [];
  const io = createIo(
    { write: (text) => out.push(text), isTTY, columns: 80 },
    { write: (text) => err.push(text), isTTY, columns: 80 },
    env,
  );
  return { io, out: () => out.join(''), err: () => err.join('') };
}

export async function redisSync(argv: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Captured> {
  const captured = captureIo(env);
  const exitCode = await main(argv, captured.io);
  return { exitCode, out: captured.out(), err: captured.err() };
}
