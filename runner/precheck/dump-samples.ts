/** Collects a few small values of a source as DUMP payloads, at most some of each type. */
import { randomBytes } from 'node:crypto';
import { ReplyError, type Reply } from '../../engine/resp/reply.ts';
import { OWN_KEY_PREFIX } from '../../engine/link/options.ts';
import { parseInfo, textOf } from '../../engine/resp/reply-text.ts';
import type { Side } from './side.ts';

export interface DumpSample {
  type: string;
  payload: Buffer;
}

const PER_TYPE = 3;
const KEYS_PER_DATABASE = 40;
const DATABASES = 4;
/** A DUMP of a big key would hold the source up. */
const SIZE_LIMIT_BYTES = 64 * 1024;
const ELEMENT_BYTES = 512;
const SIZE_COMMANDS: Readonly<Record<string, string>> = {
  string: 'STRLEN',
  list: 'LLEN',
  hash: 'HLEN',
  set: 'SCARD',
  zset: 'ZCARD',
};
export const PROBE_TTL_MS = 5000;

/** A key of our own that nobody else uses. */
export function probeKey(suffix: string): string {
  return `${OWN_KEY_PREFIX}probe:${randomBytes(6).toString('hex')}:${suffix}`;
}

/**
 * Random keys of the first databases, and, where probes may be written, a made value of every core type.
 *
 * @throws Unmeasured.
 */
export async function collectSamples(source: Side): Promise<DumpSample[]> {
  const samples: DumpSample[] = [];
  const databases = Object.keys(parseInfo(await source.ask('INFO', 'keyspace'))).flatMap(
    (name) => /^db(\d+)$/.exec(name)?.[1] ?? [],
  );
  for (const database of databases.slice(0, DATABASES))
    samples.push(...(await sampleDatabase(source, database)));
  if (source.mayProbe) samples.push(...(await makeSamples(source)));
  return samples;
}

async function sampleDatabase(source: Side, database: string): Promise<DumpSample[]> {
  const inDatabase = async (commands: (string | Buffer)[][]): Promise<Reply[]> => {
    const replies = await source.send([['SELECT', database], ...commands, ['SELECT', '0']]);
    return replies.slice(1, -1);
  };
  const randomKeys = await inDatabase(Array.from({ length: KEYS_PER_DATABASE }, () => ['RANDOMKEY']));
  const keys = new Map(
    randomKeys.flatMap((key) => (Buffer.isBuffer(key) ? [[key.toString('latin1'), key]] : [])),
  );
  const unique = [...keys.values()];
  const facts = await inDatabase(
    unique.flatMap((key) => [
      ['TYPE', key],
      ['MEMORY', 'USAGE', key],
    ]),
  );
  const counts = new Map<string, number>();
  // MEMORY came with 4.0.
  const isOld = facts.some((fact) => fact instanceof ReplyError && /unknown command/i.test(fact.message));
  const sizes = isOld
    ? await inDatabase(unique.map((key, index) => [SIZE_COMMANDS[textOf(facts[index * 2])] ?? 'EXISTS', key]))
    : facts.filter((_, index) => index % 2 === 1);
  const chosen = unique.flatMap((key, index) => {
    const type = textOf(facts[index * 2]);
    const bytes = isOld ? sizeOf(type, sizes[index]) : sizes[index];
    const count = counts.get(type) ?? 0;
    if (typeof bytes !== 'number' || bytes > SIZE_LIMIT_BYTES || count >= PER_TYPE) return [];
    counts.set(type, count + 1);
    return [{ key, type }];
  });
  const payloads = await inDatabase(chosen.map(({ key }) => ['DUMP', key]));
  return payloads.flatMap((payload, index) => toSample(chosen[index]?.type ?? '', payload));
}

/** How big it may be: an element of a collection counts as much. */
function sizeOf(type: string, size: Reply | undefined): number | undefined {
  if (typeof size !== 'number' || !(type in SIZE_COMMANDS)) return undefined;
  return type === 'string' ? size : size * ELEMENT_BYTES;
}

/** Builds one value of each core type under a probe key, dumps it, and deletes it, in one write. */
async function makeSamples(source: Side): Promise<DumpSample[]> {
  const makers: [string, string[]][] = [
    ['string', ['SET', 'v']],
    ['list', ['RPUSH', 'a', 'b']],
    ['hash', ['HSET', 'f', 'v']],
    ['set', ['SADD', 'a', 'b']],
    ['zset', ['ZADD', '1', 'a', '2.5', 'b']],
    ['stream', ['XADD', '*', 'f', 'v']],
  ];
  const perType = makers.map(([type, [command = '', ...args]]) => {
    const key = probeKey(type);
    return {
      type,
      commands: [
        [command, key, ...args],
        ['PEXPIRE', key, String(PROBE_TTL_MS)],
        ['DUMP', key],
        ['DEL', key],
      ],
    };
  });
  const replies = await source.send(perType.flatMap(({ commands }) => commands));
  return perType.flatMap(({ type, commands }, index) =>
    toSample(type, replies[index * commands.length + 2] ?? null),
  );
}

function toSample(type: string, payload: Reply): DumpSample[] {
  return Buffer.isBuffer(payload) && !(payload instanceof ReplyError) ? [{ type, payload }] : [];
}
