/**
 * What a target is and takes, measured when a link connects to it: never guessed from a version where it can be asked.
 *
 *   payloads   a small payload of each RDB version is restored and deleted again; what the target answers decides
 *   commands   COMMAND and COMMAND INFO name what it knows; renamed and disabled commands are not known
 *   version    INFO, else HELLO, else the newest command it knows
 *
 * An account that may not ask costs precision only: `degraded` says what could not be told and what follows from it.
 */
import type { Connection } from '../connect/connection.ts';
import type { LinkFinding } from './finding.ts';
import { OWN_KEY_PREFIX } from '../link/options.ts';
import { writeDumpPayload } from '../rdb/dump-payload.ts';
import { encodeCommand } from '../resp/encode.ts';
import { parseInfo, textOf } from '../resp/reply-text.ts';
import { ReplyError, type Reply } from '../resp/reply.ts';

export type Version = readonly [major: number, minor: number, patch: number];

/** First release of each family that has something; a family that never got it has none. */
export interface Since {
  redis?: string;
  valkey?: string;
}

export interface TargetFacts {
  /** `redis 7.0.15`, `valkey 9.1.2`, `an unknown server`. */
  server: string;
  family: 'redis' | 'valkey';
  /** In the family's own numbering; undefined when nothing told it. */
  version: Version | undefined;
  cluster: boolean;
  /** How many databases it has; undefined when CONFIG may not be asked. */
  databases: number | undefined;
  /** RDB versions whose payloads RESTORE takes; undefined when RESTORE could not be tried. */
  payloadVersions: ReadonlySet<number> | undefined;
  /** Names of its commands, upper-case; undefined when COMMAND may not be asked. */
  commands: ReadonlySet<string> | undefined;
  /** Names of its modules, lower-case; undefined when MODULE LIST may not be asked. */
  modules: ReadonlySet<string> | undefined;
  /** One sentence per thing that could not be measured. */
  degraded: readonly string[];
}

/** RDB versions that released servers write: Redis 2.6 … 8.8 count up, Valkey restarted at 80. */
const PAYLOAD_VERSIONS = [6, 7, 8, 9, 10, 11, 12, 13, 14, 80, 81];

/** Written and deleted again by `measureTarget`. */
export const PROBE_KEY = `${OWN_KEY_PREFIX}probe`;

/** A command that came with each release, newest first: tells the age of a server that says nothing else. */
const MARKERS: readonly [command: string, version: Version][] = [
  ['HSETEX', [8, 0, 0]],
  ['HPEXPIREAT', [7, 4, 0]],
  ['FUNCTION', [7, 0, 0]],
  ['LMOVE', [6, 2, 0]],
  ['ACL', [6, 0, 0]],
  ['XADD', [5, 0, 0]],
  ['UNLINK', [4, 0, 0]],
  ['BITFIELD', [3, 2, 0]],
];

/** What is assumed of a target that was not measured: that it takes whatever the source writes. */
export const UNKNOWN_TARGET: TargetFacts = {
  server: 'an unknown server',
  family: 'redis',
  version: undefined,
  cluster: false,
  databases: undefined,
  payloadVersions: undefined,
  commands: undefined,
  modules: undefined,
  degraded: [],
};

/**
 * Asks the server on database 0 of this connection. Writes and deletes one key of ours.
 *
 * @throws SyncError CONNECT when the connection breaks; a refusal never throws.
 */
export async function measureTarget(connection: Connection): Promise<TargetFacts> {
  const [info, databases, list, modules] = await connection.pipeline([
    ['INFO', 'server'],
    ['CONFIG', 'GET', 'databases'],
    ['COMMAND'],
    ['MODULE', 'LIST'],
  ]);
  const degraded: string[] = [];
  const commands = await usableCommands(connection, list);
  if (commands === undefined) degraded.push('COMMAND is refused: unknown commands are only found by failing');
  const identity = await identify(connection, parseInfo(info ?? null), commands);
  if (identity.version === undefined) {
    degraded.push('neither INFO nor HELLO tells its version: every command is sent in the source’s form');
  }
  const payloadVersions = await probePayloads(connection);
  if (payloadVersions === undefined) {
    degraded.push('RESTORE could not be tried: payloads are sent in the source’s version');
  }
  return {
    ...identity,
    databases: databaseCount(databases),
    payloadVersions,
    commands,
    modules: moduleNames(modules),
    degraded,
  };
}

/** What could not be told now, and was not said `before`. */
export function degradedFindings(facts: TargetFacts, before: TargetFacts): LinkFinding[] {
  return facts.degraded
    .filter((message) => !before.degraded.includes(message))
    .map((message) => ({
      code: 'OUT_OF_SCOPE',
      severity: 'notice',
      message: `What the target takes could not be measured completely: ${message}.`,
      evidence: { server: facts.server },
    }));
}

/** Whether the target is at least the release named for its family; true when its version is unknown. */
export function isSince(facts: TargetFacts, since: Since): boolean {
  if (facts.version === undefined) return true;
  const least = since[facts.family];
  return least !== undefined && isAtLeast(facts.version, parseVersion(least) ?? [0, 0, 0]);
}

/** Whether the target has this command (upper-case): measured, else by `since`. */
export function hasCommand(facts: TargetFacts, name: string, since: Since): boolean {
  return facts.commands?.has(name) ?? isSince(facts, since);
}

/** `7.0.15` as numbers; undefined when it does not begin with a number. */
export function parseVersion(text: string): Version | undefined {
  const match = /^(\d+)(?:\.(\d+))?(?:\.(\d+))?/.exec(text);
  return match === null ? undefined : [Number(match[1]), Number(match[2] ?? 0), Number(match[3] ?? 0)];
}

function isAtLeast(have: Version, least: Version): boolean {
  for (const [index, wanted] of least.entries()) {
    const part = have[index] ?? 0;
    if (part !== wanted) return part > wanted;
  }
  return true;
}

type Identity = Pick<TargetFacts, 'server' | 'family' | 'version' | 'cluster'>;

async function identify(
  connection: Connection,
  info: Record<string, string>,
  commands: ReadonlySet<string> | undefined,
): Promise<Identity> {
  const mode = info['redis_mode'] ?? info['server_mode'];
  if (info['valkey_version'] !== undefined)
    return named('valkey', info['valkey_version'], mode === 'cluster');
  if (info['redis_version'] !== undefined) return named('redis', info['redis_version'], mode === 'cluster');
  const hello = pairs(await connection.tryCall('HELLO', '2'));
  const server = hello.get('server') === 'valkey' ? 'valkey' : 'redis';
  const told = hello.get('version');
  if (told !== undefined) return named(server, told, hello.get('mode') === 'cluster');
  const marker = commands === undefined ? undefined : MARKERS.find(([command]) => commands.has(command));
  if (marker !== undefined) return named('redis', marker[1].join('.'), false);
  return { server: UNKNOWN_TARGET.server, family: 'redis', version: undefined, cluster: false };
}

function named(family: 'redis' | 'valkey', version: string, cluster: boolean): Identity {
  return { server: `${family} ${version}`, family, version: parseVersion(version), cluster };
}

function pairs(reply: Reply): Map<string, string> {
  const found = new Map<string, string>();
  if (!Array.isArray(reply)) return found;
  for (let index = 0; index + 1 < reply.length; index += 2) {
    found.set(textOf(reply[index]), textOf(reply[index + 1]));
  }
  return found;
}

function databaseCount(reply: Reply | undefined): number | undefined {
  if (!Array.isArray(reply) || reply.length < 2) return undefined;
  const count = Number(textOf(reply[1]));
  return Number.isInteger(count) ? count : undefined;
}

/** COMMAND tells the names commands were born with, COMMAND INFO answers to those they have: both, if not renamed. */
async function usableCommands(
  connection: Connection,
  list: Reply | undefined,
): Promise<ReadonlySet<string> | undefined> {
  const names = commandNames(list);
  if (names.length === 0) return undefined;
  const rows = await connection.tryCall('COMMAND', 'INFO', ...names);
  return new Set(commandNames(rows).map((name) => name.toUpperCase()));
}

function commandNames(reply: Reply | undefined): string[] {
  if (!Array.isArray(reply)) return [];
  return reply.flatMap((row) => (Array.isArray(row) ? [textOf(row[0])] : []));
}

/** Each row is name, value, name, value …. */
function moduleNames(reply: Reply | undefined): ReadonlySet<string> | undefined {
  if (!Array.isArray(reply)) return undefined;
  return new Set(reply.map((row) => pairs(row).get('name')?.toLowerCase() ?? ''));
}

/**
 * Restores a string of one byte in every version, each deleted at once, all in one transaction: nobody sees the key, and a
 * target that breaks in between has nothing left over. Undefined when RESTORE itself is refused.
 */
async function probePayloads(connection: Connection): Promise<ReadonlySet<number> | undefined> {
  const probes = PAYLOAD_VERSIONS.flatMap((version) => [
    encodeCommand(['RESTORE', PROBE_KEY, 0, probePayload(version)]),
    encodeCommand(['DEL', PROBE_KEY]),
  ]);
  const bytes = Buffer.concat([
    encodeCommand(['MULTI']),
    encodeCommand(['DEL', PROBE_KEY]),
    ...probes,
    encodeCommand(['EXEC']),
  ]);
  const replies = await connection.pipelineRaw(bytes, probes.length + 3);
  const results = replies.at(-1);
  if (!Array.isArray(results)) return undefined;
  const accepted = new Set<number>();
  for (const [index, version] of PAYLOAD_VERSIONS.entries()) {
    const result = results[1 + index * 2];
    if (result === 'OK') accepted.add(version);
    else if (!(result instanceof ReplyError) || !isPayloadRefusal(result)) return undefined;
  }
  return accepted;
}

/** The target does not take this payload, or not in this version. */
export function isPayloadRefusal(error: ReplyError): boolean {
  return /DUMP payload version or checksum|Bad data format/i.test(error.message);
}

/** A string of one byte as `version` would have dumped it. */
function probePayload(version: number): Buffer {
  const out = Buffer.alloc(13);
  writeDumpPayload(0, Buffer.from([1, 0x78]), version, out, 0);
  return out;
}
