/** A rehearsal whose source dies or is failed over while it runs: link, drain and comparison are at the new primary then. */
import { expect, test } from 'vitest';
import { startReplica, syncsOf } from '../../support/replication.ts';
import { startServer, type TestServer } from '../../support/server.ts';
import { Workspace } from './workspace.ts';

/** What the operator's side does, as commands of a shell. */
const WAYS: [string, (primary: TestServer, replica: TestServer) => string][] = [
  [
    'failed over in order',
    // FAILOVER answers before it is done; a run that is drained before that has not seen it.
    (primary, replica) =>
      `redis-cli -e -p ${primary.port} FAILOVER TO 127.0.0.1 ${replica.port} && until redis-cli -p ${replica.port} ROLE | grep -q master; do sleep 0.05; done`,
  ],
  [
    'killed, and its replica promoted',
    // A replica gets nothing of the stream until it has acknowledged its snapshot, which takes up to a second.
    (primary, replica) =>
      `until [ "$(redis-cli -p ${replica.port} DBSIZE)" -ge 500 ]; do sleep 0.05; done; kill -9 ${primary.pid}; redis-cli -e -p ${replica.port} REPLICAOF NO ONE`,
  ],
];

test.each(WAYS)('a source that is %s is drained and compared where it is then', async (_way, run) => {
  await using primary = await startServer();
  await using replica = await startReplica(primary.endpoint);
  await using target = await startServer();
  await using workspace = await Workspace.open();
  const { exitCode, out, err, results, events } = await workspace.verify({
    name: 'failover',
    instances: {
      source: {
        urls: [`redis://127.0.0.1:${primary.port}`, `redis://127.0.0.1:${replica.port}`],
        disposable: true,
      },
      target: { url: `redis://127.0.0.1:${target.port}`, disposable: true },
    },
    topology: { kind: 'one-way', source: 'source', target: 'target' },
    data: [{ keys: 500 }],
    workload: [],
    timeline: [{ fault: 'script', with: { run: run(primary, replica) }, when: 'incremental' }],
    incremental: '2s',
    expect: [
      { finding: 'ENDPOINT_CHANGED', count: 1 },
      { finding: 'FULL_RESYNC', count: 0 },
    ],
  });
  expect(exitCode, `${out}${err}${replica.log()}`).toBe(0);
  expect(results.verdict).toBe('pass');
  expect(events.find((event) => event.kind === 'finding' && event.code === 'ENDPOINT_CHANGED')).toMatchObject(
    {
      evidence: { to: `127.0.0.1:${replica.port}`, continued: true },
    },
  );
  expect((await syncsOf(replica.endpoint)).partial).toBeGreaterThan(0);
});
