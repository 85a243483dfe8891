/**
 * A runner in small, as a process of its own so that a test can end it in every way: provisions a primary with one replica,
 * prints `{ pids, ports }` as one line, then waits. argv: run folder, `keep` or `end`, what it does on SIGINT (`handle`, `die`).
 */
import { ProcessLedger } from '../../../../runner/provision/process-ledger.ts';
import { processProvisioner } from '../../../../runner/provision/process-provisioner.ts';
import { instancePlan } from '../instance-plan.ts';

const [runFolder = '', keep, onInterrupt] = process.argv.slice(2);
const interrupted = new Promise<void>((resolve) => {
  if (onInterrupt === 'handle') process.once('SIGINT', resolve);
});

await using processes = await ProcessLedger.open(runFolder, { keep: keep === 'keep' });
await using instance = await processProvisioner.provision(instancePlan({ name: 'source', replicas: 1 }), {
  runFolder,
  processes,
});
const facts = {
  pids: instance.nodes.map((node) => node.pid),
  ports: instance.nodes.map((node) => node.endpoint.port),
};
process.stdout.write(`${JSON.stringify(facts)}\n`);
const alive = setInterval(() => {}, 1000);
await interrupted;
clearInterval(alive);
