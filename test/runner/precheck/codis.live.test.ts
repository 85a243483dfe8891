/** Prechecks against a server of a real Codis group: they say what is different, and none of it stops a link that works. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dumpPayloadLength, writeDumpPayload } from '../../../engine/rdb/dump-payload.ts';
import type { PrecheckRow } from '../../../reports/results.ts';
import { runPrechecks } from '../../../runner/precheck/run-prechecks.ts';
import { snapshot, string } from '../../engine/rdb/snapshot-bytes.ts';
import { CodisGroup } from '../../support/codis-group.ts';
import { startServer, type TestServer } from '../../support/server.ts';
import { contextOf } from './support.ts';

let group: CodisGroup;
let target: TestServer;
let rows: PrecheckRow[];

beforeAll(async () => {
  const value = string('v');
  const payload = Buffer.alloc(dumpPayloadLength(value.length));
  writeDumpPayload(0, value, 7, payload, 0);
  group = await CodisGroup.start(snapshot('REDIS0007'), [{ name: 'k', type: 'string', payload }]);
  target = await startServer();
  const context = contextOf({ source: group.endpoint, target: target.endpoint });
  const instances = new Map(context.instances);
  instances.set('dst', { endpoint: target.endpoint, provisioned: true, mayProbe: true });
  rows = await runPrechecks({ ...context, instances });
});

afterAll(async () => {
  await group[Symbol.asyncDispose]();
  await target.stop();
});

function row(id: string): PrecheckRow | undefined {
  return rows.find((each) => each.id === id);
}

describe('a server of a Codis group as source', () => {
  it('fails no check', () => {
    expect(rows.filter(({ verdict }) => verdict === 'FAIL')).toEqual([]);
  });

  it('is said to have PSYNC 1 and scripts as text', () => {
    expect(row('repl.psync2')).toMatchObject({
      verdict: 'WARN',
      measured: expect.stringContaining('3.2.11'),
      repair: expect.stringMatching(/another full sync; scripts come as text/),
    });
  });

  it('is told from the target by its run, as it has no replication id', () => {
    expect(row('topology.distinct')).toMatchObject({
      verdict: 'PASS',
      measured: expect.stringContaining('no master_replid'),
    });
  });

  it('gives payloads of RDB 7 to try, although it has no MEMORY USAGE', () => {
    expect(group.unknown).toContain('MEMORY');
    expect(row('restore.compat')).toMatchObject({
      verdict: 'PASS',
      measured: expect.stringContaining('payloads version 7'),
    });
  });

  it('may be a replica’s source, although it knows no ACL', () => {
    expect(row('priv.replication')).toMatchObject({ verdict: 'PASS' });
  });

  it('leaves nothing that could not be told', () => {
    expect(
      rows.filter(({ verdict }) => verdict === 'UNKNOWN').map(({ id, measured }) => `${id}: ${measured}`),
    ).toEqual([]);
  });
});
