/** Another server becomes the primary: in agreement, by force, or after the death of the old one; by hand, in a cluster, by Sentinels. */
import { SyncError } from '../../engine/errors.ts';
import { ReplyError } from '../../engine/resp/reply.ts';
import { awaitEvidence } from './evidence.ts';
import { aimedInstance, aimedShard, controlOf, infoOf, invalid, primaryOf, replicasOf } from './aim.ts';
import { defineFault, effective, ineffective, type FaultWork } from './define-fault.ts';
import { choiceOf } from './parameters.ts';
import { handOver, lacksFailover } from './hand-over.ts';
import { ask, tell } from './server-settings.ts';
import type { FaultInstance, FaultNode } from './subjects.ts';

/** CLUSTER FAILOVER is given up by the server after 5 s. */
const MANUAL_FAILOVER_MS = 6000;
const HEIR_MS = 3000;
/** What a replica that is behind misses at least. */
const TAIL_BYTES = 2000n;

const METHODS = ['command', 'replicaof', 'crash', 'behind'] as const;

export const failover = defineFault({
  name: 'failover',
  summary: 'A replica becomes the primary, and the other servers follow it.',
  requires: ['replica', 'write'],
  aims: 'instance',
  properties: {
    method: choiceOf(
      'command: in agreement (FAILOVER, CLUSTER FAILOVER), without loss, or as Sentinels do it (SENTINEL FAILOVER), who leave clients with the old primary for seconds; replicaof: a replica is promoted while clients write (REPLICAOF, TAKEOVER), what it has not got is lost; crash: the primary is killed first, and comes back as a replica when the fault is healed; behind: as crash, but the replica is cut off from it first and misses what was written since.',
      METHODS,
      'command',
    ),
  },
  dataLoss: 'source',
  reversible: true,
  async inject(work) {
    const { context } = work;
    const instance = aimedInstance(context);
    const shard = aimedShard(context);
    const old = await primaryOf(instance, shard);
    // A replica that has just followed its shard's slots may be on its way back.
    const heir = await awaitEvidence(
      context,
      async () => (await replicasOf(instance, shard))[0] ?? null,
      HEIR_MS,
    );
    if (heir === null)
      throw invalid(context, `${instance.name} has no replica now`, 'Give it `replicas: 1`.');
    const method = work.given.choice('method', METHODS, 'command');
    const before = await infoOf(heir, 'replication');
    await WAYS[wayOf(instance)][method]({ work, instance, old, heir });
    const after = await awaitEvidence(context, async () => {
      // Sentinels choose for themselves.
      const nodes = instance.kind === 'sentinel' ? instance.nodes() : [heir];
      for (const node of nodes.filter((each) => each !== old)) {
        const info = await infoOf(node, 'replication').catch(() => ({ role: 'gone' }));
        if (info['role'] === 'master') return { node, info };
      }
      return null;
    });
    context.subjects.relocate();
    if (after === null) return ineffective('no other server became the primary');
    return effective({
      method,
      from: old.address,
      to: after.node.address,
      replidBefore: before['master_replid'],
      ...describeHistory(after.info),
    });
  },
});

interface Change {
  work: FaultWork;
  instance: FaultInstance;
  old: FaultNode;
  heir: FaultNode;
}

type Way = Readonly<Record<(typeof METHODS)[number], (change: Change) => Promise<void>>>;

/** Nobody but us decides who is the primary. */
const BY_HAND: Way = {
  async command({ old, heir, work, instance }) {
    const { host, port } = heir.endpoint;
    const reply = await ask(old, 'FAILOVER', 'TO', host, String(port), 'TIMEOUT', '10000');
    if (lacksFailover(reply)) {
      await handOver(work.context, old, heir, async () => {
        for (const node of instance.nodes()) if (node !== heir) await follow(node, heir);
        return true;
      });
      return;
    }
    if (reply instanceof ReplyError)
      throw new SyncError('PERMISSION', `FAILOVER was refused: ${reply.message}`, { where: old.address });
    // The old primary is the replica now when it is over; until then clients are paused.
    await awaitEvidence(work.context, async () =>
      (await infoOf(old, 'replication'))['role'] === 'slave' ? true : null,
    );
  },
  async replicaof({ instance, heir }) {
    await tell(heir, 'REPLICAOF', 'NO', 'ONE');
    for (const node of instance.nodes()) if (node !== heir) await follow(node, heir);
  },
  async crash({ work, instance, old, heir }) {
    const control = controlOf(work.context, old);
    // It comes back empty, or with old data: never as a primary.
    work.onHeal(async () => {
      await control.restart();
      await follow(old, heir);
    });
    await control.kill();
    await tell(heir, 'REPLICAOF', 'NO', 'ONE');
    for (const node of instance.nodes()) if (node !== heir && node !== old) await follow(node, heir);
  },
  async behind(change) {
    const { work, old, heir } = change;
    // Nobody is there, so it hears of nothing any more.
    await tell(heir, 'REPLICAOF', '127.0.0.1', '1');
    const reached = await offsetOf(heir);
    const isBehind = await awaitEvidence(work.context, async () =>
      (await offsetOf(old)) > reached + TAIL_BYTES ? true : null,
    );
    if (isBehind === null)
      throw invalid(work.context, `${old.address} is not written to`, 'Let a workload or a link write.');
    await BY_HAND.crash(change);
  },
};

/** The shard agrees among itself, or the replica just takes over; a dead primary joins again as a replica by itself. */
const OF_CLUSTER: Way = {
  async command({ heir, work }) {
    // The others may refuse their votes while slots change hands, and a manual failover is given up after five seconds.
    const promoted = async (): Promise<true | null> =>
      (await infoOf(heir, 'replication'))['role'] === 'master' ? true : null;
    for (let attempt = 0; attempt < 5; attempt++) {
      // Refused while the link to the old primary is down: another time.
      await tell(heir, 'CLUSTER', 'FAILOVER').catch(() => undefined);
      if ((await awaitEvidence(work.context, promoted, MANUAL_FAILOVER_MS)) !== null) return;
    }
  },
  replicaof: async ({ heir }) => void (await tell(heir, 'CLUSTER', 'FAILOVER', 'TAKEOVER')),
  behind: chosenByOthers,
  async crash({ work, old, heir }) {
    const control = controlOf(work.context, old);
    work.onHeal(() => control.restart());
    await control.kill();
    await tell(heir, 'CLUSTER', 'FAILOVER', 'TAKEOVER');
  },
};

/** The Sentinels are asked, or find out by themselves. */
const BY_SENTINEL: Way = {
  command: askSentinel,
  replicaof: askSentinel,
  behind: chosenByOthers,
  async crash({ work, old }) {
    const control = controlOf(work.context, old);
    work.onHeal(() => control.restart());
    await control.kill();
  },
};

const WAYS = { hand: BY_HAND, cluster: OF_CLUSTER, sentinel: BY_SENTINEL };

function wayOf({ kind }: FaultInstance): keyof typeof WAYS {
  return kind === 'cluster' || kind === 'sentinel' ? kind : 'hand';
}

async function askSentinel({ instance, old, work }: Change): Promise<void> {
  const [sentinel] = instance.attendants();
  if (sentinel === undefined)
    throw invalid(work.context, `${instance.name} has no Sentinels`, 'Use kind: sentinel without url.');
  await tell(sentinel, 'SENTINEL', 'FAILOVER', instance.name);
  // They leave the old primary alone for some seconds, and whoever is connected to it goes on: that is part of it.
  await awaitEvidence(work.context, async () =>
    (await infoOf(old, 'replication'))['role'] === 'slave' ? true : null,
  );
}

function chosenByOthers({ work, instance }: Change): Promise<never> {
  throw invalid(
    work.context,
    `no replica of ${instance.name} can be held back`,
    'Use a standalone with replicas.',
  );
}

async function offsetOf(node: FaultNode): Promise<bigint> {
  const { master_repl_offset: offset = '0' } = await infoOf(node, 'replication');
  return BigInt(offset);
}

async function follow(node: FaultNode, primary: FaultNode): Promise<void> {
  const { host, port } = primary.endpoint;
  await tell(node, 'REPLICAOF', host, String(port));
}

function describeHistory(info: Readonly<Record<string, string>>): Record<string, string | undefined> {
  return {
    replidAfter: info['master_replid'],
    secondReplid: info['master_replid2'],
    secondOffset: info['second_repl_offset'],
  };
}
