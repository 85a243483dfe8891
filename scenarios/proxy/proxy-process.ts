/** The fault proxy as a process of its own: gates, opened and operated over IPC (`redis-sync proxy`). */
import { asError, SyncError } from '../../engine/errors.ts';
import { Gate } from './gate.ts';
import type { FromProxy, ToProxy } from './messages.ts';

/** Says it to the parent, if it is still there. */
function tell(message: FromProxy): void {
  if (process.connected) process.send?.(message);
}

/**
 * Serves one parent until `stop`, or until the parent is gone: then the process ends, with every connection through it.
 *
 * @throws SyncError USAGE when there is no parent to talk to.
 */
export async function runProxyProcess(): Promise<void> {
  if (process.send === undefined) {
    throw new SyncError('USAGE', 'The proxy is started by redis-sync itself and has no parent to talk to.', {
      hint: 'Use network faults in the timeline of a spec: `redis-sync verify SPEC`.',
    });
  }
  const gates = new Map<string, Gate>();
  const gateOf = (name: string): Gate => {
    const gate = gates.get(name) ?? new Gate((watch) => tell({ kind: 'reached', gate: name, watch }));
    gates.set(name, gate);
    return gate;
  };
  // A terminal's Ctrl-C reaches the whole group; the parent decides what it means.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => undefined);
  await new Promise<void>((resolve) => {
    process.on('message', (message: ToProxy) => {
      if (message.kind === 'stop') return resolve();
      void obey(message, gateOf(message.kind === 'watch' ? message.watch.gate : message.gate)).then(
        tell,
        (error: unknown) => tell({ kind: 'failed', id: message.id, message: asError(error).message }),
      );
    });
    process.once('disconnect', resolve);
    tell({ kind: 'ready' });
  });
  for (const gate of gates.values()) gate.close();
  if (process.connected) process.disconnect();
}

async function obey(message: Exclude<ToProxy, { kind: 'stop' }>, gate: Gate): Promise<FromProxy> {
  switch (message.kind) {
    case 'open':
      return { kind: 'opened', id: message.id, port: await gate.open(message) };
    case 'add':
      gate.add(message.toxic);
      break;
    case 'remove':
      gate.remove(message.toxic);
      break;
    case 'reset':
      gate.reset();
      break;
    case 'watch':
      gate.watch(message.watch);
      break;
    case 'release':
      gate.release(message.watch);
      break;
    case 'status':
      break;
    default:
      message satisfies never;
  }
  return { kind: 'status', id: message.id, status: gate.status() };
}
