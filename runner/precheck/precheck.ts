/**
 * The seam of a precheck: one fact about a source, a destination, an instance or a link, measured before anything is
 * moved. One small file per check in checks/, listed in registry.ts.
 *
 * A check must only read, except for keys below `redis-sync:probe:` that expire by themselves, and those only where
 * `Side.mayProbe` says so. It must not throw for something it could not measure other than by `Side`'s own Unmeasured,
 * which becomes UNKNOWN: what could not be told is never a PASS.
 */
import type { PrecheckRow } from '../../reports/results.ts';
import type { LinkPlan } from '../plan/plan.ts';
import type { Side } from './side.ts';

export type PrecheckVerdict = PrecheckRow['verdict'];

export interface Outcome {
  verdict: PrecheckVerdict;
  /** The command and what it answered, shortened. No secrets, no user data beyond a key name. */
  measured: string;
  /** What to do, as an instruction; for everything but PASS and SKIP. */
  repair?: string;
}

export interface SourceSubject {
  source: Side;
}

export interface DestinationSubject {
  target: Side;
  /** Every source that is replicated into it, and the links that do so. */
  sources: readonly Side[];
  links: readonly LinkPlan[];
}

export interface InstanceSubject {
  instance: Side;
}

export interface LinkSubject {
  link: string;
  source: Side;
  target: Side;
}

/** What the checks of a run have in common. */
export interface PrecheckPolicy {
  /** The spec says that keys that are already on a destination may be overwritten. */
  allowExisting: boolean;
  /** Keys beginning with it are the engine's own time signal and never reach a target. */
  heartbeatPrefix: string;
}

interface Described {
  /** As in the vendor's catalogue, `version.order`. */
  readonly id: string;
  /** What must hold, in one line. */
  readonly expected: string;
}

export type Precheck = Described &
  (
    | { readonly about: 'source'; measure(subject: SourceSubject, policy: PrecheckPolicy): Promise<Outcome> }
    | {
        readonly about: 'destination';
        measure(subject: DestinationSubject, policy: PrecheckPolicy): Promise<Outcome>;
      }
    | {
        readonly about: 'instance';
        measure(subject: InstanceSubject, policy: PrecheckPolicy): Promise<Outcome>;
      }
    | { readonly about: 'link'; measure(subject: LinkSubject, policy: PrecheckPolicy): Promise<Outcome> }
  );
