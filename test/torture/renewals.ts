/**
 * Keys that would expire within a moment and are kept by a later command. On a target that is behind, the key has expired
 * before that command arrives: then it does nothing, or starts from nothing. Every such key stays for the comparison.
 */
import type { Argument } from '../../engine/connect/connection.ts';
import type { Endpoint } from '../../engine/connect/endpoint.ts';
import { SteadyWriter } from './steady-writer.ts';

const EVERY_MS = 40;
const TTL_MS = 600;
/** Batches between the making and the keeping: well within the time to live, unless the source itself stands still. */
const KEPT_AFTER = 4;

/** @param start part of the keys' names: those of an earlier start stay as they are. */
export function startRenewals(source: Endpoint, start: number): Promise<SteadyWriter> {
  const prefix = `renewed:${start}`;
  return SteadyWriter.start(source, {
    name: 'torture-renewals',
    everyMs: EVERY_MS,
    batch: (number) => [
      ...make(prefix, number),
      ...(number < KEPT_AFTER ? [] : keep(prefix, number - KEPT_AFTER)),
    ],
  });
}

function make(prefix: string, number: number): Argument[][] {
  return [
    ['SET', `${prefix}:key:${number}`, number, 'PX', TTL_MS],
    ['SET', `${prefix}:counter:${number}`, 1, 'PX', TTL_MS],
  ];
}

function keep(prefix: string, number: number): Argument[][] {
  return [
    ['PERSIST', `${prefix}:key:${number}`],
    ['INCR', `${prefix}:counter:${number}`],
    ['PEXPIRE', `${prefix}:counter:${number}`, 3_600_000],
  ];
}
