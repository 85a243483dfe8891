/** Another server becomes the primary: by hand, by the servers' own agreement, with the old one alive, or after its death. */
import { awaitEvidence } from './evidence.ts';
import { aimedInstance, controlOf, infoOf, invalid, primaryOf, replicasOf } from './aim.ts';
import { defineFault, effective, ineffective, type FaultWork } from './define-fault.ts';
import { choiceOf } from './parameters.ts';
import { tell } from './server-settings.ts';
import type { FaultInstance, FaultNode } from './subjects.ts';

const METHODS = ['command', 'replicaof', 'crash'] as const;

export const failover = defineFault({
  name: 'failover',
  summary: 'A replica becomes the primary, and the other servers follow it.',
  requires: ['replica', 'write'],
  aims: 'instance',
  properties: {
    method: choiceOf(
      'command: FAILOVER, without loss; replicaof: a replica is promoted while clients write, what it has not got is lost; crash: the primary is killed first, and comes back as a replica when the fault is healed.',
      METHODS,
      'command',
    ),
  },
  dataLoss: 'source',
  reversible: true,
  async inject(work) {
    const instance = aimedInstance(work.context);
    const old = await primaryOf(instance);
    const [heir] = await replicasOf(instance);
    if (heir === undefined)
      throw invalid(work.context, `${instance.name} has no replica now`, 'Give it `replicas: 1`.');
    const method = work.given.choice('method', METHODS, 'command');
    const before = await infoOf(heir, 'replication');
    await METHOD[method]({ work, instance, old, heir });
    const after = await awaitEvidence(work.context, async () => {
      const info = await infoOf(heir, 'replication');
      return info['role'] === 'master' ? info : null;
    });
    work.context.subjects.relocate();
    if (after === null) return ineffective(`${heir.address} did not become the primary`);
    return effective({
      method,
      from: old.address,
      to: heir.address,
      replidBefore: before['master_replid'],
      replidAfter: after['master_replid'],
      secondReplid: after['master_replid2'],
      secondOffset: after['second_repl_offset'],
    });
  },
});

interface Change {
  work: FaultWork;
  instance: FaultInstance;
  old: FaultNode;
  heir: FaultNode;
}

const METHOD: Readonly<Record<(typeof METHODS)[number], (change: Change) => Promise<void>>> = {
  async command({ old, heir, work }) {
    const { host, port } = heir.endpoint;
    await tell(old, 'FAILOVER', 'TO', host, String(port), 'TIMEOUT', '10000');
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
};

async function follow(node: FaultNode, primary: FaultNode): Promise<void> {
  const { host, port } = primary.endpoint;
  await tell(node, 'REPLICAOF', host, String(port));
}
