/**
 * The contract of faults, on a real pair: every one in the registry that a pair can have bites and says how it knows, is healed, and the link works
 * afterwards. A new fault needs a line in PRACTICE only if it wants settings or another aim than the source.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { FaultDefinition } from '../../../scenarios/faults/fault.ts';
import { FAULTS } from '../../../scenarios/faults/registry.ts';
import { FaultPair, LINK } from './fault-pair.ts';

interface Practice {
  where?: string;
  with?: Record<string, unknown>;
  /** The link may give up, and why that is right; the next fault gets a new pair then. */
  ends?: string;
}

const TARGET = { where: 'target' };

const PRACTICE: Readonly<Record<string, Practice>> = {
  script: { with: { commands: ['PING'] } },
  latency: { with: { latency: '5ms' } },
  timeout: { with: { after: '50ms' } },
  'limit-data': { with: { bytes: '1kb' } },
  corrupt: { ends: 'a stream that is no stream cannot be followed' },
  'silent-drop': { ends: 'a stream that is no stream cannot be followed' },
  'target-oom': TARGET,
  'target-evict': TARGET,
  'read-only': TARGET,
  'no-replicas': TARGET,
  loading: { ...TARGET, with: { time: '300ms' } },
  'busy-script': TARGET,
  'slow-command': { ...TARGET, with: { time: '100ms' } },
  'client-pause': TARGET,
  // A source that refuses its heartbeat is left in peace for half a minute, which another fault would notice.
  'acl-revoke': TARGET,
  'password-rotate': TARGET,
  'rogue-writer': TARGET,
  'bgsave-fail': TARGET,
  'restart-old-snapshot': { with: { changes: 20 } },
  'crash-loop': { with: { deaths: 2, up: '50ms' } },
  'config-set': { with: { directives: { 'maxmemory-samples': 7 } } },
};

/** What a pair cannot have; topology-faults.live.test.ts and own-tls.live.test.ts have it, and clock-skew.live.test.ts. */
const ELSEWHERE = ['reshard', 'codis-rebalance', 'tls-expire', 'clock-skew'];

let pair: FaultPair;

beforeAll(async () => {
  pair = await FaultPair.start();
});
beforeEach(async () => {
  if (pair.failure !== undefined) {
    await pair[Symbol.asyncDispose]();
    pair = await FaultPair.start();
  }
  await pair.seed();
  await pair.works();
});
afterAll(() => pair[Symbol.asyncDispose]());

const HERE = FAULTS.filter(({ name }) => !ELSEWHERE.includes(name));

describe.each(HERE.map((fault) => [fault.name, fault] as const))('%s', (name, fault) => {
  test('bites, with evidence, is healed, and the link works', async () => {
    const practice = PRACTICE[name] ?? {};
    const injection = fault.prepare(pair.context(name, practice.where ?? aimOf(fault), practice.with ?? {}));
    const traffic = pair.traffic();
    try {
      const outcome = await injection.inject();
      expect(outcome).toMatchObject({ effective: true });
      expect(Object.keys(outcome.evidence).length).toBeGreaterThan(0);
    } finally {
      await injection.heal();
      await traffic[Symbol.asyncDispose]();
    }
    // Healing twice is harmless.
    await injection.heal();
    const worked = await pair.works();
    if (worked !== true && practice.ends === undefined) throw worked;
  });
});

function aimOf({ aims }: FaultDefinition): string {
  if (aims === 'link') return `link:${LINK}`;
  return aims === 'side' ? `link:${LINK}.source` : 'source';
}
