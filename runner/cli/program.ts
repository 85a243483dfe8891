/**
 * The command line as commander sees it: commands, arguments, options, help. Nothing heavy is imported here; a command's
 * own file is loaded when it runs, so that --help answers at once.
 */
import { CHAOS_PROFILE_NAMES } from '../../scenarios/chaos/profiles.ts';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { CommandContext } from './context.ts';
import { withFlags, type Io } from './io.ts';
import type { RunFlags } from './run.ts';
import type { SelftestFlags } from './selftest.ts';
import type { VerifyFlags } from './verify.ts';

export interface Program {
  readonly command: Command;
  /** What the chosen command returned; undefined when none ran. */
  exitCode(): number | undefined;
}

interface GlobalOptions {
  json?: boolean;
  quiet?: boolean;
  verbose?: boolean;
  color?: boolean;
  seed?: number;
  out: string;
  keep?: boolean;
}

const EXIT_CODES = `
Exit codes:
  0  pass                                   3  environment: cannot connect, provision, log in
  1  a difference or a failed expectation   4  unknown: could not be told
  2  wrong usage or a wrong spec            5  a bug of redis-sync
  130, 143  interrupted

First steps:
  redis-sync verify specs/one-way.yaml      rehearse a migration on throw-away servers
  redis-sync plan specs/one-way.yaml        show everything a run would do, and all defaults
`;

/** `version` is what --version prints. */
export function createProgram(io: Io, version: string): Program {
  let exitCode: number | undefined;
  const command = new Command('redis-sync')
    .description(
      'Rehearse, run and verify migrations between Redis-compatible databases, from a YAML spec kept in git.',
    )
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => io.out(text),
      writeErr: (text) => io.err(text),
      getOutHasColors: () => io.outColors.isColorSupported,
      getErrHasColors: () => io.errColors.isColorSupported,
    })
    .exitOverride()
    .addHelpText('after', EXIT_CODES);
  addGlobalOptions(command);
  command.commandsGroup('Commands:');

  const start = async (chosen: Command, run: (context: CommandContext) => Promise<number>): Promise<void> => {
    exitCode = await run(contextOf(io, chosen.optsWithGlobals<GlobalOptions>()));
  };
  addRunningCommands(command, start);
  addSelftest(command, start);
  addReadingCommands(command, start);
  addInternalCommands(command, start);
  for (const child of command.commands) child.showHelpAfterError(`hint: redis-sync ${child.name()} --help`);
  command.showHelpAfterError('hint: redis-sync --help');
  return { command, exitCode: () => exitCode };
}

type Start = (chosen: Command, run: (context: CommandContext) => Promise<number>) => Promise<void>;

function addGlobalOptions(command: Command): void {
  command
    .option('--json', 'print one JSON document on stdout')
    .option('-q, --quiet', 'print only results and errors')
    .option('-v, --verbose', 'print more, also the stack of an unexpected error')
    .option('--seed <number>', "random seed, instead of the spec's", parseSeed)
    .option('--out <folder>', 'where runs are written', '.redis-sync')
    .option('--keep', 'leave provisioned servers up and say how to reach them')
    .option('--no-color', 'no colors; NO_COLOR and FORCE_COLOR work too');
}

function addRunningCommands(program: Command, start: Start): void {
  program
    .command('verify')
    .summary('rehearse: provision, seed, replicate, compare everything, judge')
    .description(
      'Rehearses what each spec describes and prints the verdict. Existing endpoints are only written to when they say disposable: true.',
    )
    .argument('<spec...>', 'spec files')
    .addOption(
      new Option(
        '--chaos <profile>',
        'draw the timeline at random, from the seed: gentle, rough or brutal',
      ).choices(CHAOS_PROFILE_NAMES),
    )
    .option('--save-timeline <file>', 'with --chaos: write the spec with the drawn timeline there')
    .option(
      '--scenario <names>',
      'rehearse these named scenarios instead (a,b or all; see `redis-sync scenarios`), each on fresh servers',
    )
    .action((paths: string[], options: VerifyFlags, chosen: Command) =>
      start(chosen, async (context) => (await import('./verify.ts')).verify(paths, options, context)),
    );
  program
    .command('run')
    .summary('replicate between existing endpoints until told to stop')
    .description(
      "Replicates between the spec's endpoints (each with a url). Ctrl-C stops cleanly; started again, it resumes. SIGHUP reads addresses and logins of the spec again.",
    )
    .argument('<spec>', 'spec file')
    .addOption(
      new Option('--until <when>', 'stop when in sync, or on Ctrl-C')
        .choices(['synced', 'SIGINT'])
        .default('SIGINT'),
    )
    .option('--metrics-port <number>', 'serve metrics and status over HTTP; 0 = any free port', parsePort)
    .option('--metrics-host <address>', 'where they are served', '127.0.0.1')
    .action((path: string, options: RunFlags, chosen: Command) =>
      start(chosen, async (context) => (await import('./run.ts')).run(path, options, context)),
    );
  program
    .command('compare')
    .summary('compare two live endpoints key by key, read-only')
    .description(
      'Compares all data of existing endpoints, e.g. after cutover. Takes a spec whose instances have urls, or two urls. Writes nothing.',
    )
    .argument('[spec]', 'spec file')
    .option('--source <url>', 'redis://[user@]host[:port], or rediss://')
    .option('--target <url>', 'redis://[user@]host[:port], or rediss://')
    .option('--source-password-env <name>', "environment variable with the source's password")
    .option('--target-password-env <name>', "environment variable with the target's password")
    .action((path: string | undefined, options: Record<string, string>, chosen: Command) =>
      start(chosen, async (context) => (await import('./compare.ts')).compare(path, options, context)),
    );
}

function addSelftest(program: Command, start: Start): void {
  program
    .command('selftest')
    .summary('prove that the checks catch known-bad engines')
    .description(
      'Runs short rehearsals with engines that are known to be bad, each in its way. Each must be caught by the check that is there for it, and an engine without a fault must pass.',
    )
    .option('--without <check...>', 'judge without these checks: which bad engines would get away?')
    .option('--only <name...>', 'only these bad engines')
    .option('--jobs <number>', 'rehearsals at the same time', parseJobs)
    .action((options: SelftestFlags, chosen: Command) =>
      start(chosen, async (context) => (await import('./selftest.ts')).selftest(options, context)),
    );
}

function addReadingCommands(program: Command, start: Start): void {
  program
    .command('validate')
    .summary('check specs and report every problem')
    .description(
      'Checks specs without starting or contacting anything. Every problem is reported as file:line:column.',
    )
    .argument('<spec...>', 'spec files')
    .action((paths: string[], _: unknown, chosen: Command) =>
      start(chosen, async (context) => (await import('./validate.ts')).validate(paths, context)),
    );
  program
    .command('plan')
    .summary('show a spec with every default filled in')
    .description(
      'Prints the plan of a spec: every default filled in, every kind expanded. As YAML, which is a spec again, or with --json as data.',
    )
    .argument('<spec>', 'spec file')
    .action((path: string, _: unknown, chosen: Command) =>
      start(chosen, async (context) => (await import('./plan.ts')).plan(path, context)),
    );
  program
    .command('report')
    .summary('render the report of a finished run again')
    .description('Renders the reports of a finished run from its results.')
    .argument('[run]', 'a run folder, the id of a run, or latest', 'latest')
    .option('--format <name...>', "formats to write, instead of the plan's")
    .action((run: string, options: { format?: string[] }, chosen: Command) =>
      start(chosen, async (context) => (await import('./report.ts')).report(run, options.format, context)),
    );
  program
    .command('scenarios')
    .summary('list the named rehearsals')
    .description(
      'Lists what verify --scenario can rehearse, with the statements of the vendor documents behind it.',
    )
    .action((_: unknown, chosen: Command) =>
      start(chosen, async (context) => (await import('./scenarios.ts')).scenarios(context)),
    );
  program
    .command('judge')
    .summary('judge a run again, from its folder')
    .description(
      'Judges a run again from its plan and its event history, also one that was cut off. Changes nothing; the exit code is that of the verdict.',
    )
    .argument('[run]', 'a run folder, the id of a run, or latest', 'latest')
    .action((run: string, _: unknown, chosen: Command) =>
      start(chosen, async (context) => (await import('./judge.ts')).judgeCommand(run, context)),
    );
  program
    .command('schema')
    .summary('print the JSON Schema of a spec')
    .description('Prints the JSON Schema (draft-07) of a spec, for editors.')
    .action((_: unknown, chosen: Command) =>
      start(chosen, async (context) => (await import('./schema.ts')).schema(context)),
    );
}

function addInternalCommands(program: Command, start: Start): void {
  program
    .command('bad-engine')
    .helpGroup('Used by redis-sync itself:')
    .summary('a known-bad engine, for selftest; driven over IPC')
    .description('Stands in for the engine in a selftest. Started with an IPC channel; of no use by hand.')
    .argument('<name>', 'which one')
    .argument('[file]', 'where it notes what it did wrong')
    .action((name: string, file: string | undefined, _: unknown, chosen: Command) =>
      start(chosen, async () => (await import('./bad-engine.ts')).badEngine(name, file)),
    );
  program
    .command('replicator')
    .helpGroup('Used by redis-sync itself:')
    .summary('host the links of one source shard; driven over IPC')
    .description('Hosts the engine. Started by the other commands with an IPC channel; of no use by hand.')
    .action((_: unknown, chosen: Command) =>
      start(chosen, async () => (await import('./replicator.ts')).replicator()),
    );
  program
    .command('proxy')
    .helpGroup('Used by redis-sync itself:')
    .summary('stand between the links and their servers and disturb; driven over IPC')
    .description('The fault proxy of a rehearsal. Started by verify with an IPC channel; of no use by hand.')
    .action((_: unknown, chosen: Command) => start(chosen, async () => (await import('./proxy.ts')).proxy()));
}

function contextOf(io: Io, options: GlobalOptions): CommandContext {
  const { json = false, quiet = false, verbose = false, color = true } = options;
  const context: CommandContext = {
    io: withFlags(io, { json, quiet, verbose, color }),
    out: options.out,
    keep: options.keep ?? false,
  };
  return options.seed === undefined ? context : { ...context, seed: options.seed };
}

function parseJobs(text: string): number {
  if (!/^[1-9]\d?$/.test(text)) throw new InvalidArgumentError('Jobs are a whole number from 1 to 99.');
  return Number(text);
}

function parsePort(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65535)
    throw new InvalidArgumentError('A port is a whole number from 0 to 65535.');
  return Number(text);
}

function parseSeed(text: string): number {
  const seed = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(seed))
    throw new InvalidArgumentError('A seed is a whole number from 0.');
  return seed;
}
