/**
 * What a Codis proxy does with commands: refuses those that are no matter of one key or of one group, and splits those of
 * several keys into one request per key.
 *
 * Source of the fact: Codis, doc/unsupported_cmds.md, pkg/proxy/mapper.go and pkg/proxy/session.go.
 */
import type { Argument } from '../../engine/resp/encode.ts';
import type { WeightedOperation } from './mix.ts';

/** Refused with an error; and what Codis's server, Redis 3.2, does not have. */
const REFUSED = new Set(
  `bitop blpop brpop brpoplpush move msetnx multi exec discard watch unwatch rename renamenx restore publish subscribe
  psubscribe object sort scan dbsize flushall flushdb psync sync config script migrate keys randomkey time wait blmove
  blmpop bzmpop bzpopmin bzpopmax copy function fcall spublish swapdb`.split(/\s+/),
);

/** Whether all commands of an operation get through. */
export function passesCodisProxy({ operation }: WeightedOperation): boolean {
  return ![operation.command, ...(operation.uses ?? [])].some((name) => REFUSED.has(name));
}

/** The requests that the proxy makes of a command. */
export function splitAtCodisProxy(words: readonly Argument[]): Argument[][] {
  const [name = '', ...rest] = words;
  switch (String(name).toUpperCase()) {
    case 'DEL':
    case 'UNLINK':
    case 'EXISTS':
    case 'TOUCH':
      return rest.map((key) => [name, key]);
    case 'MGET':
      return rest.map((key) => ['MGET', key]);
    case 'MSET':
      return rest.flatMap((key, index) => (index % 2 === 0 ? [['MSET', key, rest[index + 1] ?? '']] : []));
    default:
      return [[...words]];
  }
}
