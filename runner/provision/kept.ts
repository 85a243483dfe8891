/** What `--keep` tells: how to reach the servers that were left up, and how to end them. Pure. */
import type { ProcessRecord } from './process-ledger.ts';
import type { ProvisionedInstance } from './provisioner.ts';

/**
 * Lines for a person; empty when nothing was kept. Secrets are not in them: a server with a password is shown with
 * `--askpass`.
 */
export function describeKept(
  instances: Iterable<ProvisionedInstance>,
  records: readonly ProcessRecord[],
): string[] {
  const running = records.filter((record) => record.endedAt === undefined);
  if (running.length === 0) return [];
  const nodes = [...instances].flatMap((instance) =>
    instance.nodes.filter((node) => node.control).map((node) => ({ instance, node })),
  );
  const width = Math.max(0, ...nodes.map(({ instance, node }) => `${instance.name}.${node.name}`.length));
  return [
    'These servers were left running:',
    ...nodes.map(({ instance, node }) => {
      const { host, port, password, tls } = node.endpoint;
      const secret = password === undefined ? '' : ' --askpass';
      const byTls = tls === undefined ? '' : ` --tls --cacert ${tls.caFile ?? ''}`;
      return `  ${`${instance.name}.${node.name}`.padEnd(width)}  redis-cli -h ${host} -p ${port}${byTls}${secret}   (pid ${node.pid ?? '?'})`;
    }),
    `End them with: kill ${running.map((record) => record.pid).join(' ')}`,
  ];
}
