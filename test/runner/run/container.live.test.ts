/** A rehearsal on containers: provisioned, disturbed, compared, and nothing of it left. */
import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { TEST_IMAGE, whyNoContainers } from '../../support/container-image.ts';
import { Workspace } from './workspace.ts';

const reason = whyNoContainers();

describe.skipIf(reason !== undefined)(
  `containers${reason === undefined ? '' : ` (skipped: ${reason})`}`,
  () => {
    test('pass, with a fault on the way', async () => {
      await using workspace = await Workspace.open();
      const step = {
        id: 'cut',
        fault: 'reset-peer',
        when: 'incremental',
        where: 'link:from-to-to.source',
        for: '200ms',
      };
      const { exitCode, results } = await workspace.verify({
        name: 'contained',
        instances: {
          from: { provider: 'container', image: TEST_IMAGE },
          to: { provider: 'container', image: TEST_IMAGE },
        },
        topology: { kind: 'one-way', source: 'from', target: 'to' },
        data: [{ keys: 500, corners: true }],
        workload: [{ rate: '500/s', mix: { string: 1 } }],
        incremental: '1s',
        timeline: [step],
      });
      expect(results).toMatchObject({ verdict: 'pass', summary: expect.any(String) });
      expect(exitCode).toBe(0);
      expect(results.faults).toMatchObject([{ outcome: 'effective' }]);
      const filter = 'name=redis-sync-from-primary';
      expect(execFileSync('docker', ['ps', '-aq', '--filter', filter], { encoding: 'utf8' })).toBe('');
    });
  },
);
