/** The prechecks of a run, and the refusal to start when one of them forbids it. */
import { SyncError } from '../../engine/errors.ts';
import type { PrecheckRow } from '../../reports/results.ts';
import { precheckScope } from '../precheck/driver-scope.ts';
import type { InstancePlan, LinkPlan, Plan } from '../plan/plan.ts';
import { blockingRows, runPrechecks } from '../precheck/run-prechecks.ts';
import type { ProvisionedInstance } from '../provision/provisioner.ts';
import { interruptible } from './interruptible.ts';
import { primariesNow } from './locate.ts';

export interface StartCheck {
  plan: Plan;
  instances: ReadonlyMap<string, ProvisionedInstance>;
  /** Whether probe keys may be written to an instance. */
  mayProbe: (instance: InstancePlan) => boolean;
  signal: AbortSignal;
  /** Only these checks, of these links. Default: all of all. */
  only?: { ids: readonly string[]; links: readonly LinkPlan[] };
}

/** Every row, blocking ones included. @throws the signal's reason. */
export async function checkStart({
  plan,
  instances,
  mayProbe,
  signal,
  only,
}: StartCheck): Promise<PrecheckRow[]> {
  const checked = plan.instances.map(async (instance) => {
    const provisioned = instances.get(instance.name);
    if (provisioned === undefined) return [];
    // A link that starts late may find it elsewhere. One that is away is the checks' to report.
    const [endpoint = provisioned.primary()] = await primariesNow(provisioned, signal).catch(() => []);
    const about = { endpoint, provisioned: provisioned.provisioned, mayProbe: mayProbe(instance) };
    const isCluster = instance.kind === 'cluster';
    return [[instance.name, { ...about, isCluster }] as const];
  });
  const rows = runPrechecks({
    instances: new Map((await interruptible(signal, Promise.all(checked))).flat()),
    links: only?.links ?? plan.links,
    allowExisting: plan.engine.existing !== 'fail',
    heartbeatPrefix: plan.engine.heartbeatPrefix,
    ...precheckScope(plan.driver.kind),
    ...(only ? { only: only.ids } : {}),
    signal,
  });
  return interruptible(signal, rows);
}

/**
 * Of links that begin later than others, when those may have filled their target: is it still empty enough? Every row says
 * when it was looked. @throws the signal's reason.
 */
export async function checkLateStart(
  check: StartCheck,
  starting: readonly LinkPlan[],
): Promise<PrecheckRow[]> {
  const late = starting.filter(
    ({ startsAfter, incrementalOnly }) => startsAfter !== undefined && incrementalOnly !== true,
  );
  const targets = new Set(late.map(({ target }) => target));
  const links = check.plan.links.filter(
    ({ target, incrementalOnly }) => targets.has(target) && incrementalOnly !== true,
  );
  const hasOthers = links.some(({ id }) => !starting.some((link) => link.id === id));
  if (!hasOthers) return [];
  const rows = await checkStart({ ...check, only: { ids: ['destination.empty'], links } });
  const what = late.map(({ id }) => id).join(', ');
  return rows.map((row) => ({ ...row, subject: `${row.subject}, when ${what} starts` }));
}

/** @throws SyncError PRECHECK naming the first row that forbids a start. */
export function refuseBlocked(rows: readonly PrecheckRow[]): void {
  const [first, ...others] = blockingRows(rows);
  if (first === undefined) return;
  const more = others.length > 0 ? ` (and ${others.map((row) => row.id).join(', ')})` : '';
  throw new SyncError('PRECHECK', `${first.id}: ${first.measured}${more}`, {
    where: first.subject,
    ...(first.repair === undefined ? {} : { hint: first.repair }),
  });
}
