/**
 * Which faults a chaos run may draw, where, how and for how long. Only those after which both sides must be equal again with the
 * default policies: a fault that may lose data, or that must stop the link, has its own scenario. Every fault of the registry is
 * in one of the two lists; a test holds it.
 */
import type { Random } from '../data/random.ts';
import type { ChaosProfileName } from './profiles.ts';

/** Both sides of a link, the link itself, or the way to one side. */
export type ChaosPlace = 'source' | 'target' | 'link' | 'way to source' | 'way to target';

export interface Draw {
  fault: string;
  /** The gentlest profile that draws it. */
  from: ChaosProfileName;
  places: readonly ChaosPlace[];
  /** Settings of `with`. Default: none. */
  settings?: (random: Random, place: ChaosPlace) => Record<string, unknown>;
  /** Shortest and longest time until it is healed, ms. */
  forMs: readonly [number, number];
  /**
   * How long it needs until it is in effect, or over, at worst, ms: nothing else is done to the same server meanwhile. A server
   * that moves while it is stopped would come back as a second one. Default 500.
   */
  takesMs?: number;
  /**
   * Its source does not let links continue: they copy everything again. Not drawn where that leaves what is gone from the
   * source on a target that is not the link's alone.
   */
  resyncs?: true;
  /** It bites whenever it fires: may be the step that must have had an effect. */
  sure?: true;
  /** Findings of severity error that it brings with it, which are then expected. */
  findings?: readonly string[];
}

const WAYS = ['way to source', 'way to target'] as const;
const SIDES = ['source', 'target'] as const;

export const DRAWS: readonly Draw[] = [
  {
    fault: 'latency',
    from: 'gentle',
    places: WAYS,
    settings: (random) => ({ latency: `${random.between(1, 60)}ms`, jitter: `${random.between(0, 20)}ms` }),
    forMs: [300, 2000],
    sure: true,
  },
  {
    fault: 'bandwidth',
    from: 'gentle',
    places: WAYS,
    settings: (random) => ({ rate: `${random.between(64, 1024)}kb` }),
    forMs: [300, 2000],
    sure: true,
  },
  {
    fault: 'slicer',
    from: 'gentle',
    places: WAYS,
    settings: (random) => ({ size: random.between(1, 40) }),
    forMs: [300, 1500],
    sure: true,
  },
  {
    fault: 'connection-kill',
    from: 'gentle',
    places: SIDES,
    // A link is a replica at its source, and a client at its target.
    settings: (_random, place) => ({ type: place === 'source' ? 'replica' : 'normal' }),
    forMs: [0, 0],
  },
  { fault: 'client-pause', from: 'gentle', places: ['target'], forMs: [100, 1000], sure: true },
  { fault: 'pause', from: 'gentle', places: SIDES, forMs: [100, 1000], sure: true },
  { fault: 'engine-pause', from: 'gentle', places: ['link'], forMs: [100, 1000] },
  { fault: 'link-suspend', from: 'gentle', places: ['link'], forMs: [100, 1500] },
  {
    fault: 'slow-command',
    from: 'gentle',
    places: SIDES,
    settings: (random) => ({ time: `${random.between(100, 800)}ms` }),
    forMs: [0, 0],
    takesMs: 1000,
  },
  { fault: 'heartbeat-delete', from: 'gentle', places: ['source'], forMs: [0, 0] },
  { fault: 'stale-expiry', from: 'gentle', places: ['source'], forMs: [500, 2000] },

  { fault: 'reset-peer', from: 'rough', places: WAYS, forMs: [50, 1500] },
  {
    fault: 'timeout',
    from: 'rough',
    places: WAYS,
    settings: (random) => ({ after: `${random.between(50, 800)}ms` }),
    forMs: [500, 1500],
  },
  {
    fault: 'slow-close',
    from: 'rough',
    places: WAYS,
    settings: (random) => ({ delay: `${random.between(100, 800)}ms` }),
    forMs: [500, 1500],
  },
  {
    fault: 'limit-data',
    from: 'rough',
    places: WAYS,
    settings: (random) => ({ bytes: `${random.between(0, 20_000)}b` }),
    forMs: [500, 2000],
  },
  {
    fault: 'half-open',
    from: 'rough',
    places: WAYS,
    settings: (random) => ({ stream: random.pick(['upstream', 'downstream']) }),
    forMs: [300, 2000],
  },
  { fault: 'blackhole', from: 'rough', places: WAYS, forMs: [300, 2000] },
  { fault: 'engine-kill', from: 'rough', places: ['link'], forMs: [50, 1500] },
  { fault: 'read-only', from: 'rough', places: ['target'], forMs: [200, 1500] },
  { fault: 'no-replicas', from: 'rough', places: SIDES, forMs: [200, 1500] },
  { fault: 'target-oom', from: 'rough', places: ['target'], forMs: [200, 1500], findings: ['OOM'] },
  { fault: 'busy-script', from: 'rough', places: SIDES, forMs: [200, 1200] },
  { fault: 'max-clients', from: 'rough', places: SIDES, forMs: [200, 1200] },
  { fault: 'repl-timeout', from: 'rough', places: ['source'], forMs: [1000, 2000], takesMs: 2000 },
  { fault: 'replid-change', from: 'rough', places: ['source'], forMs: [0, 0], resyncs: true },
  {
    fault: 'backlog-overflow',
    from: 'rough',
    places: ['source'],
    forMs: [0, 0],
    takesMs: 2000,
    resyncs: true,
  },
  { fault: 'bgsave-fail', from: 'rough', places: SIDES, forMs: [500, 1500] },

  {
    fault: 'output-buffer-overflow',
    from: 'brutal',
    places: ['source'],
    forMs: [200, 1000],
    takesMs: 3000,
    resyncs: true,
  },
  {
    fault: 'loading',
    from: 'brutal',
    places: ['target'],
    settings: (random) => ({ time: `${random.between(200, 1000)}ms` }),
    forMs: [0, 0],
    // DEBUG RELOAD is answered while another one loads, and Redis 7.0 dies of that.
    takesMs: 5000,
  },
  { fault: 'stop', from: 'brutal', places: SIDES, forMs: [100, 1500], takesMs: 2000, resyncs: true },
  { fault: 'failover', from: 'brutal', places: ['source'], forMs: [500, 2000], takesMs: 4000 },
  { fault: 'endpoint-move', from: 'brutal', places: ['source'], forMs: [0, 0], takesMs: 5000, resyncs: true },
];

/** Why the others are not drawn. */
export const NOT_DRAWN: Readonly<Record<string, string>> = {
  script: 'does what a spec says, and nothing by itself',
  corrupt: 'the stream of commands has no checksum: a flipped bit in it is data',
  'silent-drop': 'no engine survives it',
  kill: 'a server without persistence comes back empty: the link must stop',
  'crash-loop': 'what was written after the last snapshot is lost, and the link must stop',
  'restart-old-snapshot': 'the source comes back without writes that the target has: the link must stop',
  'split-brain': 'writes of one branch are lost by the source itself',
  'acl-revoke': 'the link must stop when its account may no longer do its work',
  'password-rotate': 'the link must stop when its password is refused',
  'config-set': 'what it does is in its settings',
  flush: 'the default policy stops the link',
  swapdb: 'the default policy depends on the target being the link’s alone',
  crossslot: 'is about clusters, and stops the link there',
  reshard: 'is about clusters, and takes longer than a step of chaos',
  'codis-rebalance': 'is about Codis groups: the workload would have to follow the slots',
  'rogue-writer': 'somebody else’s writes to the target stay there',
  'engine-starve': 'does in small pieces what engine-pause does in one',
  'engine-restart': 'is engine-kill with a kinder end, and waits for a link that is not in sync',
  'target-evict': 'evicted keys are lost on the target',
  'clock-skew': 'needs a library that may be missing, and far deadlines are lost by it',
  'tls-expire': 'is about servers that speak TLS',
};
