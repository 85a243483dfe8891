/**
 * What a step is aimed at, by name: `source`, `group-1.primary`, `group-1.replica(0)`, of a cluster `target.shard(0)` and
 * `target.shard(0).replica(1)`, `link:forward.source`. Resolved to a server only when the step fires, because after a failover
 * the primary is somebody else.
 */
import type { Parsed } from './quantities.ts';

export type Address =
  | { kind: 'instance'; instance: string; shard?: number; role: 'primary' }
  | { kind: 'instance'; instance: string; shard?: number; role: 'replica'; index: number }
  | { kind: 'link'; link: string; side?: 'source' | 'target' };

const INSTANCE = /^([A-Za-z][A-Za-z0-9_-]*)(?:\.shard\((\d+)\))?(?:\.(primary|replica\((\d+)\)))?$/;
const LINK = /^link:([A-Za-z][A-Za-z0-9_-]*)(?:\.(source|target))?$/;

export function parseAddress(text: string): Parsed<Address> {
  const link = LINK.exec(text);
  if (link !== null) {
    const [, id = '', side] = link;
    return {
      kind: 'ok',
      value:
        side === 'source' || side === 'target'
          ? { kind: 'link', link: id, side }
          : { kind: 'link', link: id },
    };
  }
  const instance = INSTANCE.exec(text);
  if (instance === null) {
    return {
      kind: 'bad',
      reason: `"${text}" is not the name of an instance or a link`,
      expected: 'source, source.primary, source.replica(0), source.shard(0) or link:NAME.source',
    };
  }
  const [, name = '', shard, role, index] = instance;
  const part = shard === undefined ? {} : { shard: Number(shard) };
  return role === undefined || role === 'primary'
    ? { kind: 'ok', value: { kind: 'instance', instance: name, ...part, role: 'primary' } }
    : {
        kind: 'ok',
        value: { kind: 'instance', instance: name, ...part, role: 'replica', index: Number(index) },
      };
}
