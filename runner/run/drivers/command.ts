/** Any program as the engine: started once per link from a command line, and a configuration file made from a template. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, isAbsolute, join, resolve } from 'node:path';
import { readCredentials } from '../../../engine/connect/credentials.ts';
import { describeEndpoint, type Endpoint } from '../../../engine/connect/endpoint.ts';
import type { EngineResult } from '../../../reports/results.ts';
import {
  endpointUrl,
  instanceEnvironment,
  redactSecrets,
} from '../../../scenarios/faults/instance-environment.ts';
import type { CommandPlan, WatchPlan } from '../../plan/driver.ts';
import { fillIn, quoteForShell } from '../../plan/placeholders.ts';
import type { LinkPlan } from '../../plan/plan.ts';
import type { DriverOptions, EngineDriver } from './driver.ts';
import { EngineProcess } from './engine-process.ts';
import { OutsideLink } from './outside-link.ts';
import { ReportedLinks } from './reported-links.ts';

export class CommandDriver extends ReportedLinks<OutsideLink> implements EngineDriver {
  readonly description: EngineResult;
  /** Configuration files, which may hold passwords. */
  readonly #configs: Set<string>;

  constructor(options: DriverOptions, { command, watch }: { command: CommandPlan; watch: WatchPlan }) {
    const configs = new Set<string>();
    super(
      options.links.map((plan) => {
        const launch = (onLine: (line: string) => void): EngineProcess =>
          launchProgram({ plan, options, command, onLine, configs });
        return new OutsideLink(plan, options, { watch, program: { command, launch } });
      }),
    );
    this.description = describe(command);
    this.#configs = configs;
  }

  get logFiles(): Readonly<Record<string, string>> {
    const started = this.monitors.filter(({ state }) => state !== 'NotStarted');
    return Object.fromEntries(started.map(({ plan }) => [`engine ${plan.id}`, logNameOf(plan.id)]));
  }

  override async stop(): Promise<void> {
    await super.stop();
    for (const config of this.#configs) rmSync(config, { force: true });
  }
}

interface Launch {
  plan: LinkPlan;
  options: DriverOptions;
  command: CommandPlan;
  onLine: (line: string) => void;
  /** Gets the files that were written for it. */
  configs: Set<string>;
}

/** Every program has a folder of its own to run in. @throws SyncError AUTH when a password cannot be read. */
function launchProgram({ plan, options, command, onLine, configs }: Launch): EngineProcess {
  const { runFolder, baseFolder, endpointOf, routesOf, onProcess } = options;
  // What is disturbed leads through the fault proxy: the program is told nothing else.
  const routes = routesOf(plan.source);
  const way = (to: Endpoint): Endpoint => ({ ...to, ...routes[describeEndpoint(to)] });
  const folder = resolve(join(runFolder, 'engine', plan.id));
  const logFile = resolve(join(runFolder, logNameOf(plan.id)));
  mkdirSync(folder, { recursive: true });
  const sides = new Map([
    ['source', way(endpointOf(plan.source))],
    ['target', way(endpointOf(plan.target))],
  ]);
  const values = valuesFor(plan, folder, sides);
  if (command.template !== undefined) {
    const template = isAbsolute(command.template) ? command.template : join(baseFolder, command.template);
    const config = join(folder, basename(command.template));
    configs.add(config);
    writeFileSync(config, fillIn(readFileSync(template, 'utf8'), values), { mode: 0o600 });
    values.set('config', config);
  }
  return new EngineProcess({
    run: fillIn(command.run, values, quoteForShell),
    folder,
    env: { ...options.env, ...instanceEnvironment(sides) },
    logFile,
    onStarted: (pid) => onProcess(pid, `engine ${plan.id}`, logFile, true),
    onLine,
    redact: (line) => redactSecrets(line, sides),
  });
}

function valuesFor(
  plan: LinkPlan,
  folder: string,
  sides: ReadonlyMap<string, Endpoint>,
): Map<string, string> {
  const values = new Map([
    ['link', plan.id],
    ['folder', folder],
  ]);
  for (const [side, endpoint] of sides) {
    const { username = '', password = '' } = readCredentials(endpoint);
    values.set(`${side}.host`, endpoint.host);
    values.set(`${side}.port`, String(endpoint.port));
    values.set(`${side}.url`, endpointUrl(endpoint));
    values.set(`${side}.username`, username);
    values.set(`${side}.password`, password);
    values.set(`${side}.ca`, endpoint.tls?.caFile ?? '');
  }
  return values;
}

function logNameOf(link: string): string {
  return `engine-${link}.log`;
}

function describe({ run, synchronized, caughtUp }: CommandPlan): EngineResult {
  return {
    driver: 'command',
    what: `A program of the spec's, started once per link: ${run}`,
    notes: [
      `That its copy was complete is ${seen(synchronized)}, that it had caught up ${seen(caughtUp)}; a program that ends with exit code 0 has done both.`,
      'What it did inside (commands, resyncs, retries, refusals, lag) is unknown.',
    ],
  };
}

function seen(pattern: string | undefined): string {
  return pattern === undefined ? 'seen in the number of keys' : `taken from its output (/${pattern}/)`;
}
