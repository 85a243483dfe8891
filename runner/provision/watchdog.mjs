/**
 * Ends the processes of a run when the runner is gone, however it went (SIGKILL, out of memory, a crash). It is a process
 * of its own in a session of its own, and holds the reading end of a pipe to the runner: the kernel closes the pipe when
 * the runner ends. One JSON message per line:
 *   {"add": {pid, startTime, group}}   this process belongs to the run
 *   {"remove": pid}                    it was ended
 */
import { signalProcess } from './process-identity.mjs';

const recorded = new Map();
let unread = '';

process.stdin.setEncoding('utf8');
process.stdin.on('data', (chunk) => {
  const lines = (unread + chunk).split('\n');
  unread = lines.pop() ?? '';
  for (const line of lines) receive(JSON.parse(line));
});
process.stdin.once('close', endAll);

function receive(message) {
  if (message.add) recorded.set(message.add.pid, message.add);
  if (message.remove) recorded.delete(message.remove);
}

/** The data is thrown away and persistence is off: there is nothing a gentle end would save. */
function endAll() {
  for (const identity of recorded.values()) signalProcess(identity, 'SIGKILL');
  process.exit(0);
}
