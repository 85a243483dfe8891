/**
 * Who replicates: redis-sync's own engine, Redis's own replication, any program, or a service that runs already. What each
 * needs from a spec, in the plan and back as it is written.
 */
import { formatDuration } from '../spec/quantities.ts';
import type { Engine } from '../spec/spec.generated.ts';
import { durationOr } from './written.ts';

export const DRIVER_KINDS = ['redis-sync', 'replica', 'command', 'external'] as const;
export type DriverKind = (typeof DRIVER_KINDS)[number];

export const DEFAULT_DRIVER: DriverKind = 'redis-sync';
export const DEFAULT_WATCH = { quietMs: 2000, limitMs: 120_000 } as const;

/** When a link that tells nothing about itself is taken to have caught up. */
export interface WatchPlan {
  /** The target has the source's keys, and neither has changed for so long, ms. */
  quietMs: number;
  /** Waiting ends after this, ms; what is there then is compared. */
  limitMs: number;
}

/** The program of `driver: command`, started once per link. */
export interface CommandPlan {
  /** For `sh -c`, with placeholders. */
  run: string;
  /** A file beside the spec, written to the run folder with its placeholders filled in. */
  template?: string;
  /** Regular expressions on its output: the copy is complete; everything written so far is applied. */
  synchronized?: string;
  caughtUp?: string;
}

export type DriverPlan =
  | { kind: 'redis-sync' }
  | { kind: 'replica' }
  | { kind: 'external'; watch: WatchPlan }
  | { kind: 'command'; watch: WatchPlan; command: CommandPlan };

/** Which of `engine:`'s keys mean something besides `driver`; undefined: all that belong to redis-sync's own engine. */
export const DRIVER_KEYS: Readonly<Record<DriverKind, readonly string[] | undefined>> = {
  'redis-sync': undefined,
  replica: [],
  external: ['watch'],
  command: ['watch', 'command'],
};

/** Keys that redis-sync's own engine does not know. */
export const FOREIGN_KEYS: readonly string[] = ['watch', 'command'];

export function expandDriver(engine: Engine): DriverPlan {
  const kind = engine.driver ?? DEFAULT_DRIVER;
  switch (kind) {
    case 'redis-sync':
    case 'replica':
      return { kind };
    case 'external':
      return { kind, watch: expandWatch(engine) };
    case 'command':
      return { kind, watch: expandWatch(engine), command: { run: '', ...engine.command } };
    default:
      return kind satisfies never;
  }
}

function expandWatch({ watch = {} }: Engine): WatchPlan {
  return {
    quietMs: durationOr(watch.quiet, DEFAULT_WATCH.quietMs),
    limitMs: durationOr(watch.limit, DEFAULT_WATCH.limitMs),
  };
}

/** As it stands in a spec's `engine:`. */
export function driverForm(driver: DriverPlan): object {
  switch (driver.kind) {
    case 'redis-sync':
      return {};
    case 'replica':
      return { driver: driver.kind };
    case 'external':
      return { driver: driver.kind, watch: watchForm(driver.watch) };
    case 'command':
      return { driver: driver.kind, command: { ...driver.command }, watch: watchForm(driver.watch) };
    default:
      return driver satisfies never;
  }
}

function watchForm({ quietMs, limitMs }: WatchPlan): object {
  return { quiet: formatDuration(quietMs), limit: formatDuration(limitMs) };
}
