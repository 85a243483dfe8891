/** A rehearsal on servers with `tls: true`: what everybody does works by TLS, and a certificate that runs out is what it is. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { hasOpenssl } from '../../support/certificates.ts';
import { Workspace } from './workspace.ts';

describe.skipIf(!(await hasOpenssl()))('servers with certificates of the run', () => {
  test('both certificates run out, the way is cut: the link says so, continues, and nothing is lost', async () => {
    await using workspace = await Workspace.open();
    const { exitCode, out, err, results } = await workspace.verify({
      name: 'own-tls',
      seed: 3,
      instances: { source: { tls: true, replicas: 1 }, target: { tls: true } },
      topology: { kind: 'one-way', source: 'source', target: 'target' },
      data: [{ keys: 500 }],
      workload: [{ rate: '200/s', mix: { set: 2, incr: 1, rpush: 1 } }],
      incremental: '3s',
      timeline: [
        { id: 'source', fault: 'tls-expire', where: 'source', when: 'incremental', for: '500ms' },
        { id: 'target', fault: 'tls-expire', where: 'target', after: 'source', delay: '600ms', for: '500ms' },
        {
          id: 'way',
          fault: 'reset-peer',
          where: 'link:source-to-target.source',
          after: 'target',
          delay: '600ms',
        },
        { id: 'script', fault: 'script', at: '200ms', with: { run: SCRIPT } },
      ],
      expect: [
        { finding: 'FULL_RESYNC', count: 0 },
        { check: 'ledger', lost: 0, duplicated: 0 },
      ],
    });
    expect(results).toMatchObject({ verdict: 'pass' });
    expect(exitCode, `${out}${err}`).toBe(0);
    const seen = { outcome: 'effective', evidence: { error: expect.stringContaining(EXPIRED) } };
    expect(Object.fromEntries((results.faults ?? []).map((fault) => [fault.step, fault]))).toMatchObject({
      source: seen,
      target: seen,
      way: { outcome: 'effective' },
      script: { outcome: 'effective' },
    });
    const log = await readFile(join(workspace.latest, 'replicator-source.log'), 'utf8');
    expect(log).toMatch(new RegExp(`waits for its source: .*${EXPIRED}`));
    expect(results.links[0]?.partialResyncs).toBeGreaterThan(0);
  });

  test('the rehearsals by name: both sides, each with its own verdict', async () => {
    await using workspace = await Workspace.open();
    const spec = await workspace.write({
      name: 'own-tls',
      instances: { source: { tls: true }, target: {} },
      topology: { kind: 'one-way', source: 'source', target: 'target' },
      data: [{ keys: 50 }],
      workload: [{ rate: '100/s', mix: { set: 1 } }],
      report: { formats: [] },
      scenarios: ['tls-expire-source', 'tls-expire-target'],
    });
    const { exitCode, out } = await workspace.command(['verify', spec, '--json', '--quiet']);
    expect(JSON.parse(out)).toMatchObject([
      { scenario: 'tls-expire-source', verdict: 'pass' },
      { scenario: 'tls-expire-target', verdict: 'unfit', reasons: [expect.stringContaining('tls: true')] },
    ]);
    expect(exitCode).toBe(0);
  });
});

const EXPIRED = 'certificate has expired';
/** A program that is only told where the target is. */
const SCRIPT =
  'openssl s_client -brief -connect "$REDIS_SYNC_TARGET_HOST:$REDIS_SYNC_TARGET_PORT" -CAfile "$REDIS_SYNC_TARGET_CA" -verify_return_error </dev/null';
