/** What a target says about itself at one moment: its memory, what it threw away, its replicas, its slots, and its own offset then. */
import type { Connection } from '../connect/connection.ts';
import { readTopology } from '../connect/cluster-topology.ts';
import { wordReplyError } from '../connect/reply-errors.ts';
import { SyncError } from '../errors.ts';
import { parseInfo } from '../resp/reply-text.ts';
import { ReplyError } from '../resp/reply.ts';

export interface TargetSample {
  /** Changes with every start of the server process; its counts begin anew then. */
  runId: string;
  replid: string;
  /** Of the target's own stream. INFO is one command: everything in the sample is of this very offset. */
  offset: bigint;
  evictedKeys: number;
  expiredKeys: number;
  /** Fields of hashes; undefined where the server knows no such expiry. */
  expiredFields: number | undefined;
  maxmemory: string;
  maxmemoryPolicy: string;
  /** Replicas that could be promoted, with the offset each has acknowledged. Whoever only reads the stream is none. */
  replicas: readonly { address: string; offset: bigint }[];
  isReplica: boolean;
  /** Of a node of a cluster, by slot: 1 where it has the slot, and the slot is not on the move. A moment later than the rest. */
  steady?: Uint8Array;
}

/** @throws SyncError CONNECT, PERMISSION (the account may not run INFO). */
export async function sampleTarget(connection: Connection): Promise<TargetSample> {
  const reply = await connection.tryCall('INFO');
  if (reply instanceof ReplyError) throw wordReplyError(reply, connection.endpoint, 'INFO');
  const info = parseInfo(reply);
  const sample = readSample(info);
  const steady = info['cluster_enabled'] === '1' ? await readSteady(connection) : undefined;
  return steady === undefined ? sample : { ...sample, steady };
}

/** Undefined when the account may not ask. @throws SyncError CONNECT. */
async function readSteady(connection: Connection): Promise<Uint8Array | undefined> {
  const topology = await readTopology(connection).catch((error: unknown) => {
    if (error instanceof SyncError && !error.retryable) return undefined;
    throw error;
  });
  if (topology === undefined) return undefined;
  const { shards, owners, self, moving } = topology;
  const own = shards.findIndex(({ primary }) => primary.id === self);
  const steady = Uint8Array.from(owners, (owner) => (owner !== -1 && owner === own ? 1 : 0));
  for (const { slot } of moving) steady[slot] = 0;
  return steady;
}

/** From the fields of INFO. What is missing is 0 or empty. */
export function readSample(info: Readonly<Record<string, string>>): TargetSample {
  const number = (name: string): number => Number(info[name] ?? 0);
  const fields = info['expired_subkeys'] ?? info['expired_fields'];
  return {
    runId: info['run_id'] ?? '',
    replid: info['master_replid'] ?? '',
    offset: BigInt(info['master_repl_offset'] ?? -1),
    evictedKeys: number('evicted_keys'),
    expiredKeys: number('expired_keys'),
    expiredFields: fields === undefined ? undefined : Number(fields),
    maxmemory: info['maxmemory'] ?? '',
    isReplica: info['role'] === 'slave',
    maxmemoryPolicy: info['maxmemory_policy'] ?? '',
    replicas: Object.entries(info).flatMap(([name, text]) =>
      /^slave\d+$/.test(name) ? readReplica(text) : [],
    ),
  };
}

/** `ip=127.0.0.1,port=6380,state=online,offset=123,lag=0`; whoever announced no port cannot be promoted. */
function readReplica(text: string): { address: string; offset: bigint }[] {
  const fields = new Map(
    text
      .split(',')
      .map((field) => field.split('=', 2))
      .map(([name, value]) => [name, value]),
  );
  const port = fields.get('port') ?? '0';
  if (port === '0' || fields.get('state') !== 'online') return [];
  return [{ address: `${fields.get('ip') ?? ''}:${port}`, offset: BigInt(fields.get('offset') ?? -1) }];
}
