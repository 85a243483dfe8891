/**
 * Tells one process from a later one with the same number: by pid and start time together. Plain JavaScript, because the
 * watchdog runs from the sources and from dist alike. Types are in process-identity.d.mts.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/**
 * Its state (`T` = stopped) and when it started, as an opaque text; undefined when there is no such process. A zombie counts
 * as gone.
 */
export function readProcess(pid) {
  const found = process.platform === 'linux' ? readFromProc(pid) : readFromPs(pid);
  return found && /^[ZX]/.test(found.state) && !found.dying ? undefined : found;
}

/** When the process started; undefined when there is none. */
export function readStartTime(pid) {
  return readProcess(pid)?.startTime;
}

/** Field 22 of /proc/<pid>/stat (proc(5)), in clock ticks since boot. Field 2 may hold spaces and brackets itself. */
function readFromProc(pid) {
  let stat;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return undefined;
  }
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // A zombie whose other threads are still on their way out keeps its files open, so its port too: not gone yet.
  const threads = Number(fields[20 - 3]);
  return { state: fields[0], startTime: fields[22 - 3], dying: threads > 1 };
}

function readFromPs(pid) {
  const args = ['-o', 'stat=,lstart=', '-p', String(pid)];
  try {
    const output = execFileSync('ps', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    const [state, ...started] = output.trim().split(/\s+/);
    return { state, startTime: started.join(' ') };
  } catch {
    return undefined;
  }
}

/** True while the process that was recorded is alive. */
export function isAlive({ pid, startTime }) {
  return readStartTime(pid) === startTime;
}

/**
 * Sends a signal to a recorded process, or with `group` to its whole group (a server and the child that writes its
 * snapshot). Does nothing when it is gone. @returns whether the signal was sent.
 */
export function signalProcess({ pid, startTime, group }, signal) {
  if (!isAlive({ pid, startTime })) return false;
  try {
    process.kill(group ? -pid : pid, signal);
    return true;
  } catch {
    return false;
  }
}
