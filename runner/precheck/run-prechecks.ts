/** Runs every precheck over a plan's instances and links, and says what blocks the start. */
import { strict as assert } from 'node:assert';
import type { Endpoint } from '../../engine/connect/endpoint.ts';
import { asError } from '../../engine/errors.ts';
import type { PrecheckRow } from '../../reports/results.ts';
import type { LinkPlan } from '../plan/plan.ts';
import type { Outcome, Precheck, PrecheckPolicy } from './precheck.ts';
import { PRECHECKS } from './registry.ts';
import { Side, Unmeasured } from './side.ts';

export interface PrecheckInstance {
  endpoint: Endpoint;
  /** Started by this run; `ProvisionedInstance.provisioned`. */
  provisioned: boolean;
  /**
   * Probe keys (`redis-sync:probe:…`, gone after 5 s) may be written to it: it is disposable, or it is a target that
   * `run` is about to fill anyway.
   */
  mayProbe: boolean;
  /** It is described as a cluster: the endpoint is one of its nodes. */
  isCluster?: boolean;
}

export interface PrecheckContext extends PrecheckPolicy {
  instances: ReadonlyMap<string, PrecheckInstance>;
  links: readonly LinkPlan[];
  /** Run only these ids. */
  only?: readonly string[];
  signal?: AbortSignal;
}

interface Job {
  check: Precheck;
  subject: string;
  measure: () => Promise<Outcome>;
}

/** One row per check and subject, in the order of the registry. Never throws for what a server does or refuses. */
export async function runPrechecks(context: PrecheckContext): Promise<PrecheckRow[]> {
  const names = [...new Set(context.links.flatMap((link) => [link.source, link.target]))];
  const sides = new Map(
    await Promise.all(names.map(async (name) => [name, await openSide(name, context)] as const)),
  );
  try {
    const checks = PRECHECKS.filter((check) => context.only?.includes(check.id) ?? true);
    const jobs = checks.flatMap((check) => jobsOf(check, context, sides));
    return await Promise.all(jobs.map(runJob));
  } finally {
    await Promise.all([...sides.values()].map((side) => side[Symbol.asyncDispose]()));
  }
}

/** The rows that forbid a start. */
export function blockingRows(rows: readonly PrecheckRow[]): PrecheckRow[] {
  return rows.filter((row) => row.verdict === 'FAIL');
}

function openSide(name: string, context: PrecheckContext): Promise<Side> {
  const instance = context.instances.get(name);
  assert(instance, `no instance ${name}`);
  return Side.open({ name, ...instance, ...(context.signal ? { signal: context.signal } : {}) });
}

function jobsOf(check: Precheck, context: PrecheckContext, sides: ReadonlyMap<string, Side>): Job[] {
  const { links } = context;
  const sideOf = (name: string): Side => {
    const side = sides.get(name);
    assert(side, `no instance ${name}`);
    return side;
  };
  const unique = (of: (link: LinkPlan) => string[]): Side[] => [...new Set(links.flatMap(of))].map(sideOf);
  switch (check.about) {
    case 'source':
      return unique((link) => [link.source]).map((source) => ({
        check,
        subject: source.label,
        measure: () => check.measure({ source }, context),
      }));
    case 'destination':
      return unique((link) => [link.target]).map((target) => {
        const into = links.filter((link) => link.target === target.name);
        const sources = [...new Set(into.map((link) => link.source))].map(sideOf);
        return {
          check,
          subject: target.label,
          measure: () => check.measure({ target, sources, links: into }, context),
        };
      });
    case 'instance':
      return unique((link) => [link.source, link.target]).map((instance) => ({
        check,
        subject: instance.label,
        measure: () => check.measure({ instance }, context),
      }));
    case 'link':
      return links.map((link) => {
        const subject = { link: link.id, source: sideOf(link.source), target: sideOf(link.target) };
        return { check, subject: `link ${link.id}`, measure: () => check.measure(subject, context) };
      });
    default:
      return check satisfies never;
  }
}

async function runJob({ check, subject, measure }: Job): Promise<PrecheckRow> {
  const outcome = await measure().catch(wordUnmeasured);
  return { id: check.id, subject, expected: check.expected, evidence: 'measured', ...outcome };
}

function wordUnmeasured(error: unknown): Outcome {
  if (error instanceof Unmeasured) {
    return {
      verdict: 'UNKNOWN',
      measured: error.message,
      repair: 'Give the account the right to run this command, or check the fact by hand.',
    };
  }
  return {
    verdict: 'UNKNOWN',
    measured: `the check itself failed: ${asError(error).message}`,
    repair: 'Report this as a bug.',
  };
}
