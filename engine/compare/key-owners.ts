/**
 * Do several sources hold different keys, and each its own? Looked at by samples: SCAN begins anywhere in the keyspace, so
 * the first keys it gives are as good as any. Reads only.
 */
import type { Connection } from '../connect/connection.ts';
import type { Endpoint } from '../connect/endpoint.ts';
import { OWN_KEY_PREFIX } from '../link/options.ts';
import { textOf } from '../resp/reply-text.ts';
import { openConnection } from './open-connection.ts';
import { fillDefaults, hasPrefix, type CompareSettings } from './options.ts';
import { readServerFacts } from './server-facts.ts';

export interface OwnedSource {
  name: string;
  /** The servers that hold its keys together. */
  endpoints: readonly Endpoint[];
  /** Whether a key may be there; absent: nothing was said. */
  owns?: (key: Buffer) => boolean;
}

export interface SampledKey {
  database: number;
  key: Buffer;
  /** Sources that have it. */
  owners: string[];
}

export interface KeyOwners {
  /** Keys looked at. */
  sampled: number;
  /** Keys that are in more than one source. Bounded list, with the count of all. */
  shared: SampledKey[];
  sharedCount: number;
  /** Keys that are where they do not belong. */
  misplaced: SampledKey[];
  misplacedCount: number;
}

export interface SampleOptions {
  /** Keys looked at in each database of each server, at most. Default 10000. */
  keysMax?: number;
  ignorePrefixes?: readonly string[];
  signal?: AbortSignal;
}

const KEYS_MAX = 10_000;
const SCAN_COUNT = 1000;
const LISTED_MAX = 10;

/** @throws SyncError CONNECT, AUTH, PERMISSION, ABORTED. */
export async function sampleKeyOwners(
  sources: readonly OwnedSource[],
  { keysMax = KEYS_MAX, ignorePrefixes = [], signal }: SampleOptions = {},
): Promise<KeyOwners> {
  const settings = fillDefaults({
    sources: [],
    targets: [],
    ignorePrefixes: [...ignorePrefixes, OWN_KEY_PREFIX],
    ...(signal ? { signal } : {}),
  });
  const found: KeyOwners = { sampled: 0, shared: [], sharedCount: 0, misplaced: [], misplacedCount: 0 };
  const nodes: SourceNode[] = [];
  try {
    for (const source of sources)
      for (const endpoint of source.endpoints)
        nodes.push({ source, connection: await openConnection(endpoint, settings) });
    for (const node of nodes) await sampleNode(node, nodes, { found, keysMax, settings });
    return found;
  } finally {
    await Promise.all(nodes.map(({ connection }) => connection.close()));
  }
}

interface SourceNode {
  source: OwnedSource;
  connection: Connection;
}

interface Sampling {
  found: KeyOwners;
  keysMax: number;
  settings: CompareSettings;
}

async function sampleNode(node: SourceNode, nodes: readonly SourceNode[], sampling: Sampling): Promise<void> {
  const { found, keysMax, settings } = sampling;
  const { keyspace } = await readServerFacts(node.connection);
  for (const { database } of keyspace) {
    let cursor = '0';
    let seen = 0;
    do {
      await select([node], database);
      const reply = await node.connection.call('SCAN', cursor, 'COUNT', SCAN_COUNT);
      const [next = null, page = null] = Array.isArray(reply) ? reply : [];
      cursor = textOf(next ?? '0');
      const keys = (Array.isArray(page) ? page : [])
        .filter((key) => Buffer.isBuffer(key))
        .filter((key) => !hasPrefix(settings.ignorePrefixes, key, 0, key.length));
      seen += keys.length;
      found.sampled += keys.length;
      await judge(node, nodes, database, keys, found);
    } while (cursor !== '0' && seen < keysMax);
  }
}

async function judge(
  node: SourceNode,
  nodes: readonly SourceNode[],
  database: number,
  keys: readonly Buffer[],
  found: KeyOwners,
): Promise<void> {
  const { name, owns } = node.source;
  for (const key of keys) {
    if (owns === undefined || owns(key)) continue;
    if (found.misplacedCount++ < LISTED_MAX) found.misplaced.push({ database, key, owners: [name] });
  }
  const others = nodes.filter(({ source }) => source !== node.source);
  if (keys.length === 0) return;
  await select(others, database);
  const answers = await Promise.all(
    others.map(({ connection }) => connection.pipeline(keys.map((key) => ['EXISTS', key]))),
  );
  for (const [index, key] of keys.entries()) {
    // An error is an answer of a server that has not got the key's slot, or the database.
    const having = others
      .filter((_, other) => answers[other]?.[index] === 1)
      .map(({ source }) => source.name);
    // Each pair of sources is looked at from both sides; the first of them in the list tells.
    const order = nodes.map(({ source }) => source.name);
    if (having.length === 0 || having.some((other) => order.indexOf(other) < order.indexOf(name))) continue;
    if (found.sharedCount++ < LISTED_MAX)
      found.shared.push({ database, key, owners: [...new Set([name, ...having])] });
  }
}

async function select(nodes: readonly SourceNode[], database: number): Promise<void> {
  await Promise.all(nodes.map(({ connection }) => connection.tryCall('SELECT', database)));
}
