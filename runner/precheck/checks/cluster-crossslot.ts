/** cluster.crossslot: whether the source has run commands of several keys that a cluster target may refuse. */
import type { Precheck } from '../precheck.ts';

/** Writes with keys that need not share a slot. */
const COMMANDS = new Set(
  (
    'mset msetnx del unlink rename renamenx copy rpoplpush brpoplpush lmove blmove smove sinterstore sunionstore sdiffstore ' +
    'zunionstore zinterstore zdiffstore zrangestore geosearchstore georadius georadiusbymember sort bitop pfmerge eval ' +
    'evalsha fcall exec'
  ).split(' '),
);

export const clusterCrossSlot: Precheck = {
  id: 'cluster.crossslot',
  about: 'link',
  expected: 'no commands of several keys in the statistics of the source, when the target is a cluster',
  async measure({ source, target }) {
    if (!target.isCluster || source.isCluster)
      return { verdict: 'SKIP', measured: 'the target is no cluster, or the source is one too' };
    const stats = await source.info('commandstats');
    const used = Object.keys(stats)
      .map((name) => name.replace(/^cmdstat_/, ''))
      .filter((name) => COMMANDS.has(name.split('|')[0] ?? ''));
    if (used.length === 0) return { verdict: 'PASS', measured: 'INFO commandstats → none' };
    return {
      verdict: 'WARN',
      measured: `INFO commandstats → ${used.map((name) => name.toUpperCase()).join(', ')}`,
      repair:
        'Whether their keys share a slot, only the stream will tell. Use hash tags, or set engine.crossSlot to "split" or "refetch".',
    };
  },
};
