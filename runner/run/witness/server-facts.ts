/** What a server says about itself in INFO, as evidence: the counters that checks hold against each other. */
import { Connection } from '../../../engine/connect/connection.ts';
import type { Endpoint } from '../../../engine/connect/endpoint.ts';
import { parseInfo } from '../../../engine/resp/reply-text.ts';
import type { EvidenceOf } from '../../../reports/evidence.ts';
import { WITNESS_NAME } from './witness-name.ts';

export type ServerFacts = Pick<EvidenceOf<'server'>, 'numbers' | 'commands' | 'failures' | 'errors' | 'acks'>;

/** Fields of INFO that are kept. A server that lacks one (an older version) simply has no such number. */
const FIELDS = [
  'master_repl_offset',
  'used_memory',
  'used_memory_peak',
  'total_forks',
  'latest_fork_usec',
  'sync_full',
  'sync_partial_ok',
  'sync_partial_err',
  'connected_slaves',
  'evicted_keys',
  'expired_keys',
  'rejected_connections',
  'mem_clients_slaves',
  'client_output_buffer_limit_disconnections',
  'uptime_in_seconds',
];

/** @throws SyncError CONNECT, AUTH, PERMISSION. */
export async function readServerFacts(endpoint: Endpoint, signal: AbortSignal): Promise<ServerFacts> {
  await using connection = await Connection.open(endpoint, { name: WITNESS_NAME, signal });
  return factsOf(parseInfo(await connection.call('INFO', 'all')));
}

/** Pure: fields of INFO → facts. `primary` is 1 on a primary. */
export function factsOf(info: Readonly<Record<string, string>>): ServerFacts {
  const facts: ServerFacts = {
    numbers: { primary: info['role'] === 'master' ? 1 : 0 },
    commands: {},
    failures: {},
    errors: {},
    acks: {},
  };
  for (const field of FIELDS) {
    const value = Number(info[field]);
    if (info[field] !== undefined && Number.isFinite(value)) facts.numbers[field] = value;
  }
  for (const [field, text] of Object.entries(info)) {
    const command = /^cmdstat_(.+)$/.exec(field)?.[1];
    if (command !== undefined) {
      facts.commands[command] = numberIn(text, 'calls');
      const failures = numberIn(text, 'rejected_calls') + numberIn(text, 'failed_calls');
      if (failures > 0) facts.failures[command] = failures;
    }
    const word = /^errorstat_(.+)$/.exec(field)?.[1];
    if (word !== undefined) facts.errors[word] = numberIn(text, 'count');
    if (/^slave\d+$/.test(field)) facts.acks[field] = numberIn(text, 'offset');
  }
  return facts;
}

function numberIn(text: string, name: string): number {
  const value = new RegExp(`(?:^|,)${name}=(\\d+)`).exec(text)?.[1];
  return value === undefined ? 0 : Number(value);
}
