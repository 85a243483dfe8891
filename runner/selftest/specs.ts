/** The short rehearsals in which known-bad engines have to give themselves away. */

const WRITERS = {
  name: 'writers',
  databases: [0, 3],
  rate: '600/s',
  clients: 2,
  start: 'full-sync',
  mix: { string: 10, hash: 3, list: 3, sets: 2, zset: 2, key: 4, multi: 1, pubsub: 2 },
};

const BASE = {
  name: 'selftest',
  seed: 5,
  instances: { source: {}, target: {} },
  topology: { kind: 'one-way', source: 'source', target: 'target' },
  data: [
    { keys: 150, ttl: { share: '20%', between: ['1h', '2h'] } },
    { database: 3, keys: 50 },
  ],
  workload: [WRITERS],
  incremental: '1200ms',
  compare: { rounds: 1 },
  expect: [
    { metric: 'lag_ms', p99: '< 2500' },
    // Holds for any figure there is: what the checks of the ledger themselves catch is left to them.
    { check: 'ledger', lost: '>= 0' },
  ],
  report: { formats: ['json'] },
};

/** Writes nobody may send: to a database that no client uses. */
const flush = {
  id: 'flush',
  fault: 'script',
  after: 'cut',
  delay: '300ms',
  where: 'source',
  with: { database: 9, commands: ['SET x 1', 'FLUSHDB'] },
};
const cut = {
  id: 'cut',
  fault: 'script',
  when: 'incremental',
  where: 'source',
  with: { commands: ['CLIENT KILL TYPE replica'] },
};

export const SPECS = {
  plain: BASE,
  /** Its link is cut, and a database is flushed: findings are expected. */
  troubled: {
    ...BASE,
    engine: { flush: 'propagate' },
    timeline: [cut, flush],
    expect: [...BASE.expect, { finding: 'FLUSH', count: 1 }],
  },
  'two targets': {
    ...BASE,
    instances: { source: {}, target: {}, second: {} },
    topology: { kind: 'one-to-many', source: 'source', targets: ['target', 'second'] },
  },
  /** For what takes time, or is to be seen by who looks now and then. */
  long: { ...BASE, incremental: '6500ms', workload: [{ ...WRITERS, rate: '300/s' }] },
  /** Without an effect. */
  'idle fault': {
    ...BASE,
    timeline: [{ id: 'nothing', fault: 'script', at: '300ms', with: { run: 'exit 1' } }],
  },
  /** One kind of command is refused every time. */
  'denied command': {
    ...BASE,
    instances: { source: { config: { user: 'default on nopass ~* &* +@all -getset' } }, target: {} },
  },
} as const satisfies Record<string, Readonly<Record<string, unknown>>>;

export type SpecName = keyof typeof SPECS;
