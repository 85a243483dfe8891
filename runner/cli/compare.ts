/** `redis-sync compare`: full-data comparison of existing endpoints, from a spec or from two urls. */
import { SyncError } from '../../engine/errors.ts';
import { expandPlan } from '../plan/expand.ts';
import type { Plan } from '../plan/plan.ts';
import { parseEndpointUrl } from '../spec/endpoint-url.ts';
import type { Instance } from '../spec/spec.generated.ts';
import { runOptions, type CommandContext } from './context.ts';
import { requireUrls } from './existing-endpoints.ts';
import { loadPlans, refuse } from './load-plans.ts';
import { withSignals } from './signals.ts';

export interface CompareOptions {
  source?: string;
  target?: string;
  sourcePasswordEnv?: string;
  targetPasswordEnv?: string;
}

export async function compare(
  path: string | undefined,
  options: CompareOptions,
  context: CommandContext,
): Promise<number> {
  const loaded =
    path === undefined
      ? { kind: 'ok' as const, plans: [planOfUrls(options, context)] }
      : await loadPlans([path], context);
  if (path !== undefined && (options.source !== undefined || options.target !== undefined)) {
    throw new SyncError('USAGE', 'compare takes a spec or two urls, not both', {
      hint: 'redis-sync compare --help',
    });
  }
  if (loaded.kind === 'invalid') return refuse(loaded.problems, context);
  const [plan] = loaded.plans;
  if (plan === undefined) return 0;
  requireUrls(plan, 'compare');
  const { compareInstances } = await import('../run/compare.ts');
  return withSignals(context.io, (signal) => compareInstances(plan, context.io, runOptions(context, signal)));
}

/** The plan that a spec with these two endpoints would have. */
export function planOfUrls(options: CompareOptions, { io, seed }: CommandContext): Plan {
  const { source, target } = options;
  if (source === undefined || target === undefined) {
    throw new SyncError('USAGE', 'compare needs a spec, or both --source and --target', {
      hint: 'redis-sync compare --source redis://10.0.0.5 --target redis://10.0.0.6',
    });
  }
  const spec = {
    name: 'compare',
    instances: {
      source: instanceOf('--source', source, options.sourcePasswordEnv, io.env),
      target: instanceOf('--target', target, options.targetPasswordEnv, io.env),
    },
    links: [{ id: 'source-to-target', source: 'source', target: 'target' }] satisfies [
      { id: string; source: string; target: string },
    ],
    data: [],
    workload: [],
  };
  return expandPlan(spec, { specPath: '', sha256: '', ...(seed === undefined ? {} : { seed }) });
}

function instanceOf(
  flag: string,
  url: string,
  passwordEnv: string | undefined,
  env: NodeJS.ProcessEnv,
): Instance {
  const parsed = parseEndpointUrl(url);
  if (parsed.kind === 'bad') {
    const hint = parsed.reason.includes('password')
      ? `Take it out (others can read command lines) and name its variable: ${flag}-password-env NAME.`
      : `Expected ${parsed.expected}.`;
    throw new SyncError('USAGE', parsed.reason, { where: flag, hint });
  }
  if (passwordEnv === undefined) return { url };
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(passwordEnv)) {
    throw new SyncError('USAGE', 'this is not the name of an environment variable', {
      where: `${flag}-password-env`,
    });
  }
  if ((env[passwordEnv] ?? '') === '') {
    throw new SyncError('USAGE', `the environment variable ${passwordEnv} is not set`, {
      where: `${flag}-password-env`,
    });
  }
  return { url, password: `\${${passwordEnv}}` };
}
