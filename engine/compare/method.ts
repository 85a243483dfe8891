/** Which way of reading all keys fits two sides. Pure. */
import type { CompareMethod } from './difference.ts';
import type { Node } from './server-facts.ts';

/**
 * A snapshot costs a fork, and a server with `repl-diskless-sync-delay` (5 s by default) waits before it begins. Below
 * these sizes commands are done sooner.
 */
const FEW_KEYS = 250_000;
const FEW_BYTES = 256 * 1024 * 1024;

export function chooseMethod(
  sources: readonly Node[],
  targets: readonly Node[],
): { method: CompareMethod; reason?: string } {
  const small = [sources, targets].every(
    (nodes) =>
      sum(nodes, ({ facts }) => facts.keyspace.reduce((keys, row) => keys + row.keys, 0)) <= FEW_KEYS &&
      sum(nodes, ({ facts }) => facts.usedMemoryBytes) <= FEW_BYTES,
  );
  return small ? { method: 'commands', reason: 'the data is small' } : { method: 'snapshot' };
}

function sum(nodes: readonly Node[], of: (node: Node) => number): number {
  return nodes.reduce((total, node) => total + of(node), 0);
}
