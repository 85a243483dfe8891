/** Rebuilds whole snapshots with commands and says what was lost on the way. Test support only. */
import type { Connection } from '../../../../engine/connect/connection.ts';
import type { LinkFinding } from '../../../../engine/apply/finding.ts';
import type { CommandOutput } from '../../../../engine/apply/rebuild/command-chunk.ts';
import { Losses } from '../../../../engine/apply/rebuild/losses.ts';
import { Rebuilder } from '../../../../engine/apply/rebuild/rebuilder.ts';
import { writeFeatures, type WriteFeatures } from '../../../../engine/apply/rebuild/write-features.ts';
import { measureTarget } from '../../../../engine/apply/target-facts.ts';
import { RawSnapshotReader } from '../../../../engine/rdb/raw-reader.ts';
import { encodeCommand } from '../../../../engine/resp/encode.ts';
import { ReplyError, type Reply } from '../../../../engine/resp/reply.ts';
import type { Canonical, CanonicalKey } from '../../rdb/canonical.ts';

/** Collects commands. */
export class Collected implements CommandOutput {
  readonly pieces: Buffer[] = [];
  commands = 0;

  write(bytes: Uint8Array, start: number, end: number): void {
    this.pieces.push(Buffer.from(bytes.subarray(start, end)));
  }

  endCommand(): void {
    this.commands++;
  }

  get bytes(): Buffer {
    return Buffer.concat(this.pieces);
  }
}

export interface Rebuilt {
  findings: LinkFinding[];
  lost: Record<string, number>;
  features: WriteFeatures;
}

/** Every entry of a snapshot, as commands, on the server; throws at the first command that is refused. */
export async function rebuildSnapshot(snapshot: Buffer, connection: Connection): Promise<Rebuilt> {
  const output = new Collected();
  const findings: LinkFinding[] = [];
  const lost: Record<string, number> = {};
  const losses = new Losses({
    onFinding: (finding) => findings.push(finding),
    onCount: (kind, count) => (lost[kind] = (lost[kind] ?? 0) + count),
  });
  const features = writeFeatures(await measureTarget(connection));
  const rebuilder = new Rebuilder({ output, features, losses });
  let database = -1;
  const reader = new RawSnapshotReader({
    entry: (entry) => {
      if (entry.database !== database) {
        output.pieces.push(encodeCommand(['SELECT', entry.database]));
        output.commands++;
        database = entry.database;
      }
      rebuilder.rebuild(entry, reader.flavor, 'transaction');
    },
  });
  reader.push(snapshot);
  reader.finish();
  losses.report();
  throwOnErrors(await connection.pipelineRaw(output.bytes, output.commands));
  return { findings, lost, features };
}

export function throwOnErrors(replies: readonly Reply[]): void {
  for (const [index, reply] of replies.entries()) {
    if (reply instanceof ReplyError) throw new Error(`reply ${index}: ${reply.message}`);
    if (Array.isArray(reply)) throwOnErrors(reply);
  }
}

/** What a target with these features may differ in: when consumers were seen, and what it cannot represent. */
export function carried(keys: readonly CanonicalKey[], features: WriteFeatures): CanonicalKey[] {
  return keys
    .filter(({ value }) => !isModule(value))
    .map((key) => ({ ...key, value: withoutVolatile(key.value, features) }));
}

function isModule(value: Canonical): boolean {
  return isRecord(value) && 'module' in value;
}

function isRecord(value: Canonical): value is { readonly [name: string]: Canonical } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function withoutVolatile(value: Canonical, features: WriteFeatures): Canonical {
  if (Array.isArray(value)) return value.map((each: Canonical) => withoutVolatile(each, features));
  if (!isRecord(value)) return value;
  const entries = Object.entries(value).flatMap(([name, content]): [string, Canonical][] => {
    if (name === 'consumers' && Array.isArray(content)) {
      return [[name, content.map((row: Canonical) => (Array.isArray(row) ? (row[0] ?? null) : row))]];
    }
    if (name === 'hash' && Array.isArray(content) && !features.fieldTtl) {
      return [[name, content.map((row: Canonical) => (Array.isArray(row) ? row.slice(0, 2) : row))]];
    }
    return [[name, withoutVolatile(content, features)]];
  });
  return Object.fromEntries(entries);
}

/** As a source before 7.0 has it: without the counters it does not know. */
export function withoutCounters(value: Canonical): Canonical {
  if (Array.isArray(value)) return value.map(withoutCounters);
  if (!isRecord(value)) return value;
  const hidden = new Set(['maxDeletedId', 'entriesAdded', 'entriesRead', 'firstId']);
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, content]) =>
      hidden.has(name) ? [] : [[name, withoutCounters(content)]],
    ),
  );
}

/** Before 7.0 a small sorted set keeps the sign of -0; from then on its packed form stores an integer, ours or not. */
export function asPackedFromSeven(key: CanonicalKey): CanonicalKey {
  if (key.key !== 'zset:small') return key;
  const value: CanonicalKey['value'] = JSON.parse(JSON.stringify(key.value).replace('"-0"', '"0"'));
  return { ...key, value };
}
