/** What is looked at besides when a target is a cluster. */
import { expect, test } from 'vitest';
import { Connection } from '../../../engine/connect/connection.ts';
import { textOf } from '../../../engine/resp/reply-text.ts';
import { runPrechecks } from '../../../runner/precheck/run-prechecks.ts';
import { startServer } from '../../support/server.ts';
import { until } from '../../support/until.ts';
import { contextOf } from './support.ts';

const IDS = [
  'arch.match',
  'cluster.databases',
  'cluster.crossslot',
  'priv.write.destination',
  'restore.compat',
];

test('databases, commands of several keys, and probes that stay on the node', async () => {
  await using source = await startServer();
  // One node that has every slot is a cluster.
  await using target = await startServer({ 'cluster-enabled': 'yes' });
  await using node = await Connection.open(target.endpoint);
  await node.call('CLUSTER', 'ADDSLOTSRANGE', 0, 16383);
  await until(async () => textOf(await node.call('CLUSTER', 'INFO')).includes('cluster_state:ok'));
  await using client = await Connection.open(source.endpoint);
  await client.call('SET', 'k', 'v');
  const { instances, ...context } = contextOf({
    source: source.endpoint,
    target: target.endpoint,
    throwAway: true,
  });
  const verdicts = async (isCluster: boolean): Promise<Record<string, string>> => {
    const described = [...instances].map(
      ([name, about]) => [name, { ...about, isCluster: isCluster && name === 'dst' }] as const,
    );
    const rows = await runPrechecks({ ...context, instances: new Map(described), only: IDS });
    return Object.fromEntries(
      rows.map(({ id, subject, verdict }) => [`${id} ${subject.split(' ')[0]}`, verdict]),
    );
  };
  expect(await verdicts(true)).toEqual({
    'arch.match src': 'PASS',
    'arch.match dst': 'PASS',
    'cluster.databases link': 'PASS',
    'cluster.crossslot link': 'PASS',
    'priv.write.destination dst': 'PASS',
    'restore.compat link': 'PASS',
  });
  await client.pipeline([
    ['MSET', 'a', 1, 'b', 2],
    ['SELECT', 3],
    ['SET', 'k', 'v'],
  ]);
  expect(await verdicts(true)).toMatchObject({
    'cluster.databases link': 'FAIL',
    'cluster.crossslot link': 'WARN',
  });
  expect(await verdicts(false)).toMatchObject({ 'arch.match dst': 'FAIL', 'cluster.databases link': 'SKIP' });
});
