/** What a comparison is told, and the defaults. */
import type { Endpoint } from '../connect/endpoint.ts';
import { OWN_KEY_PREFIX } from '../link/options.ts';
import type { CompareMethod } from './difference.ts';

export interface CompareProgress {
  phase: 'counts' | 'pass' | 'recheck';
  method: CompareMethod;
  /** Keys read from the sources so far, and expected (from INFO keyspace). In `recheck`: suspects read, suspects. */
  keys: number;
  expectedKeys: number;
  bytes: number;
  /** 1 = the pass over all keys. */
  round: number;
  /** Keys that look different so far. */
  suspects: number;
}

export interface CompareOptions {
  /** Primaries (or replicas of them) that hold the source's keys together; a key is on one of them. */
  sources: Endpoint[];
  targets: Endpoint[];
  /** Absolute expiry times that are no further apart are equal. A key with and one without expiry never are. Default 1000. */
  ttlToleranceMs?: number;
  /** How often keys that differ are read again before they are reported. At least 1. Default 3. */
  rounds?: number;
  /** Wait before the second re-read; each later wait is three times as long. Default 500. */
  roundWaitMs?: number;
  /** `auto`: snapshots where both sides hand them out, commands otherwise. Default `auto`. */
  method?: 'auto' | CompareMethod;
  /** Keys left out (heartbeats), besides the engine's own. */
  ignorePrefixes?: string[];
  /**
   * Whole names of such keys in database 0 of the targets (the engine's checkpoints), where they are known: spares a scan
   * of the targets when nothing differs.
   */
  ignoreKeys?: string[];
  /** Differences listed; totals count all. Default 1000. */
  maxDifferences?: number;
  /** SCAN COUNT: keys per batch, hence how long a server is busy in one go. Default 200. */
  scanCount?: number;
  /**
   * Values whose memory is larger are read in pages (in a snapshot: 64 times as large when serialized). Default 256 KiB.
   * Infinity: all values are read whole and no sizes are asked for; for servers that nobody else uses.
   */
  bigValueBytes?: number;
  /** Memory for keys to be read again. Beyond it differences count from their first read. Default 64 MiB. */
  suspectBytes?: number;
  /** Do not use PEXPIRETIME although the server knows it. */
  relativeExpiry?: boolean;
  /** Awaited before each batch of a pass, with the number of keys read so far: a place to slow down. */
  pace?: (keys: number) => Promise<void> | void;
  connectTimeoutMs?: number;
  /** A server that says nothing for so long is given up. Default 60000. */
  idleTimeoutMs?: number;
  signal?: AbortSignal;
  onProgress?: (progress: CompareProgress) => void;
}

/** Every default filled in. */
export interface CompareSettings {
  ttlToleranceMs: number;
  rounds: number;
  roundWaitMs: number;
  /** Bytes of the prefixes. */
  ignorePrefixes: Buffer[];
  ignoreKeys: Buffer[];
  maxDifferences: number;
  scanCount: number;
  bigValueBytes: number;
  suspectBytes: number;
  relativeExpiry: boolean;
  pace: ((keys: number) => Promise<void> | void) | undefined;
  connectTimeoutMs: number;
  idleTimeoutMs: number;
  signal: AbortSignal | undefined;
}

/** CLIENT SETNAME of all connections. */
export const COMPARE_CLIENT_NAME = 'redis-sync-compare';

export function fillDefaults(options: CompareOptions): CompareSettings {
  const prefixes = new Set([OWN_KEY_PREFIX, ...(options.ignorePrefixes ?? [])]);
  return {
    ttlToleranceMs: options.ttlToleranceMs ?? 1000,
    rounds: Math.max(1, options.rounds ?? 3),
    roundWaitMs: options.roundWaitMs ?? 500,
    ignorePrefixes: [...prefixes].filter((prefix) => prefix !== '').map((prefix) => Buffer.from(prefix)),
    ignoreKeys: (options.ignoreKeys ?? []).map((name) => Buffer.from(name)),
    maxDifferences: options.maxDifferences ?? 1000,
    scanCount: options.scanCount ?? 200,
    bigValueBytes: options.bigValueBytes ?? 256 * 1024,
    suspectBytes: options.suspectBytes ?? 64 * 1024 * 1024,
    relativeExpiry: options.relativeExpiry ?? false,
    pace: options.pace,
    connectTimeoutMs: options.connectTimeoutMs ?? 5000,
    idleTimeoutMs: options.idleTimeoutMs ?? 60_000,
    signal: options.signal,
  };
}

/** Whether `bytes[start, end)` begins with one of the prefixes. */
export function hasPrefix(
  prefixes: readonly Uint8Array[],
  bytes: Uint8Array,
  start: number,
  end: number,
): boolean {
  for (const prefix of prefixes) {
    if (bytes[start] !== prefix[0] || end - start < prefix.length) continue;
    let same = 1;
    while (same < prefix.length && bytes[start + same] === prefix[same]) same++;
    if (same === prefix.length) return true;
  }
  return false;
}
