/**
 * The general-purpose step: sends commands to an instance, or runs a shell command that knows where the instances are: their
 * primaries and replicas as they are when the step fires.
 * What it does is the spec's business, so it cannot be taken back and may explain any loss.
 */
import { Connection } from '../../engine/connect/connection.ts';
import type { Endpoint } from '../../engine/connect/endpoint.ts';
import { ReplyError, type Reply } from '../../engine/resp/reply.ts';
import { SyncError } from '../../engine/errors.ts';
import { displayBytes, displayReply, type DisplayReply } from '../../reports/display.ts';
import { invalid, primaryOf, replicasOf } from './aim.ts';
import { splitCommandLine } from './command-line.ts';
import type { FaultContext, FaultDefinition, FaultInjection, FaultOutcome } from './fault.ts';
import { instanceEnvironment, redactSecrets } from './instance-environment.ts';
import {
  SCRIPT_SCHEMA,
  readScriptParameters,
  type CommandsParameters,
  type RunParameters,
} from './script-parameters.ts';
import { runShell } from './shell.ts';

/** Commands shown in the evidence; all are sent. */
const COMMANDS_SHOWN = 20;
const OUTPUT_BYTES_MAX = 8 * 1024;
/** An instance, one of its shards, and who is meant there. */
const NODE = /^(.+?)(?:\.shard\((\d+)\))?(?:\.primary|\.replica\((\d+)\))?$/;
const EVIDENCE_BOUNDS = { bytesMax: 200, elementsMax: 8 };

export const script: FaultDefinition = {
  name: 'script',
  summary: 'Sends commands to an instance, or runs a shell command that knows where the instances are.',
  requires: [],
  aims: 'any',
  schema: SCRIPT_SCHEMA,
  reversible: false,
  dataLoss: 'target',
  prepare(context): FaultInjection {
    const parameters = readScriptParameters(context.with, context.where);
    return {
      inject: () =>
        'run' in parameters ? runCommand(parameters, context) : sendCommands(parameters, context),
      heal: () => Promise.resolve(),
    };
  },
};

/** Stops at the first error reply: later commands may rely on it. */
async function sendCommands(parameters: CommandsParameters, context: FaultContext): Promise<FaultOutcome> {
  const { instance } = parameters;
  const endpoint = await nodeNow(instance, instanceEndpoint(context, instance), context);
  if (endpoint === undefined)
    throw invalid(context, `There is no ${instance} now`, 'Give the instance more `replicas`.');
  const commands = parameters.commands.map((command) =>
    typeof command === 'string'
      ? splitCommandLine(command)
      : command.map((argument) => Buffer.from(argument)),
  );
  await using connection = await Connection.open(endpoint, {
    name: 'redis-sync-script',
    signal: context.signal,
  });
  if (parameters.database !== 0) await connection.call('SELECT', String(parameters.database));
  const sent: { command: string; reply: string }[] = [];
  for (const command of commands) {
    const reply = await connection.tryCall(...command);
    sent.push({
      command: describeCommand(command),
      reply: displayReply(displayable(reply), EVIDENCE_BOUNDS),
    });
    if (reply instanceof ReplyError) {
      const reason = `${parameters.instance} answered ${reply.message} to ${describeCommand(command)}`;
      return { effective: false, reason, evidence: commandEvidence(parameters, sent) };
    }
  }
  return { effective: true, evidence: commandEvidence(parameters, sent) };
}

function instanceEndpoint(context: FaultContext, name: string): Endpoint {
  const endpoint = context.instances.get(name);
  if (endpoint !== undefined) return endpoint;
  const known = [...context.instances.keys()].join(', ');
  throw new SyncError('SPEC_INVALID', `There is no instance called ${name}.`, {
    where: `step ${context.step}`,
    hint: `Instances: ${known}.`,
  });
}

/**
 * The server that has this name now: a failover or a move has given it to another one, perhaps; undefined when there is no such
 * replica. `original`: where it was at the start, also of what the run does not know better.
 */
async function nodeNow(
  name: string,
  original: Endpoint,
  { subjects }: FaultContext,
): Promise<Endpoint | undefined> {
  try {
    const [, base = name, shard = '0', replica] = NODE.exec(name) ?? [];
    const instance = subjects.instance(base);
    if (instance.nodes().length < 2) return original;
    if (replica === undefined) return (await primaryOf(instance, Number(shard))).endpoint;
    // Those of all shards are counted together here: a number says nothing of who it is now.
    if (instance.kind === 'cluster') return original;
    return (await replicasOf(instance))[Number(replica)]?.endpoint;
  } catch {
    return original;
  }
}

function commandEvidence(parameters: CommandsParameters, sent: { command: string; reply: string }[]) {
  const { instance, database } = parameters;
  return { instance, database, commands: sent.length, shown: sent.slice(-COMMANDS_SHOWN) };
}

function describeCommand(command: readonly Buffer[]): string {
  const shown = command.slice(0, EVIDENCE_BOUNDS.elementsMax).map(describeArgument);
  const hidden = command.length - shown.length;
  return shown.join(' ') + (hidden > 0 ? ` … (${hidden} more)` : '');
}

function describeArgument(argument: Buffer): string {
  const text = argument.toString('latin1');
  return /^[!#-&(-~]{1,200}$/.test(text) ? text : displayBytes(argument, EVIDENCE_BOUNDS.bytesMax);
}

function displayable(reply: Reply): DisplayReply {
  return Array.isArray(reply) ? reply.map(displayable) : reply;
}

async function runCommand(parameters: RunParameters, context: FaultContext): Promise<FaultOutcome> {
  const { run, timeoutMs } = parameters;
  const now = await Promise.all(
    [...context.instances].map(
      async ([name, endpoint]) => [name, await nodeNow(name, endpoint, context)] as const,
    ),
  );
  const instances = new Map(now.flatMap(([name, endpoint]) => (endpoint ? [[name, endpoint] as const] : [])));
  const result = await runShell(run, {
    env: { ...instanceEnvironment(instances), ...parameters.env },
    timeoutMs,
    signal: context.signal,
    clock: context.clock,
    outputBytesMax: OUTPUT_BYTES_MAX,
  });
  const evidence = {
    run: redactSecrets(run, context.instances),
    exitCode: result.exitCode,
    durationMs: Math.round(result.durationMs),
    stdout: redactSecrets(result.stdout, context.instances),
    stderr: redactSecrets(result.stderr, context.instances),
  };
  switch (result.ended) {
    case 'exit':
      if (result.exitCode === 0) return { effective: true, evidence };
      return { effective: false, reason: `the command exited with ${result.exitCode}`, evidence };
    case 'timeout':
      return { effective: false, reason: `the command did not end within ${timeoutMs} ms`, evidence };
    case 'aborted':
      return { effective: false, reason: 'the run ended first', evidence };
    case 'signal':
      return { effective: false, reason: 'the command was ended by a signal', evidence };
    case 'not-started':
      return { effective: false, reason: 'the shell could not be started', evidence };
    default:
      return result.ended satisfies never;
  }
}
