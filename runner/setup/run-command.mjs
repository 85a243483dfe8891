/** Runs a program to its end, either showing its output or keeping it for the case that it fails. */
import { spawn } from 'node:child_process';

/**
 * Resolves with the exit code (128 + n after signal n; 127 when the program is not there) and, with `quiet`, what it
 * printed. Never rejects. SIGINT and SIGTERM reach the child, so that it can clean up and we report its exit code.
 */
export function runCommand(command, args, options = {}) {
  const { cwd, env = process.env, quiet = false } = options;
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd, env, stdio: quiet ? ['ignore', 'pipe', 'pipe'] : 'inherit' });
    let output = '';
    child.stdout?.on('data', (chunk) => (output += chunk));
    child.stderr?.on('data', (chunk) => (output += chunk));
    const onTerminate = () => child.kill('SIGTERM');
    process.on('SIGINT', stayAlive);
    process.on('SIGTERM', onTerminate);
    const finish = (code) => {
      process.off('SIGINT', stayAlive);
      process.off('SIGTERM', onTerminate);
      resolve({ code, output });
    };
    child.once('error', (error) => {
      output += error.message;
      finish(127);
    });
    child.once('close', (code, signal) => finish(code ?? 128 + (SIGNAL_NUMBERS[signal] ?? 0)));
  });
}

/** A terminal's Ctrl-C reaches the whole group by itself: we only wait until the child is done with it. */
function stayAlive() {}

const SIGNAL_NUMBERS = { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGABRT: 6, SIGKILL: 9, SIGTERM: 15 };

/** The last `count` lines of a program's output, for an error message. */
export function lastLines(output, count = 15) {
  return output.trimEnd().split('\n').slice(-count).join('\n');
}

/** The first `count` lines, for programs that say the reason first and then much else. */
export function firstLines(output, count = 12) {
  return output.trim().split('\n').slice(0, count).join('\n');
}
