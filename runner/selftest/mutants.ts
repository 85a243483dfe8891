/**
 * Everything the oracle must not let pass, and the check that is there to catch it. Adding one is one entry here, and a
 * misbehaviour or a doctoring if none does it yet.
 */
import {
  blindComparison,
  comparesAnotherLink,
  cutOff,
  forgetsLedger,
  misplacesKey,
  type Doctoring,
} from './doctored.ts';
import type { MisbehaviourName } from './misbehaviours.ts';
import type { SpecName } from './specs.ts';

export interface Mutant {
  name: string;
  /** What is wrong, in words that complete "an engine that …" or name the rehearsal. */
  what: string;
  /** Null: nothing is wrong, it must pass. */
  caughtBy: string | null;
  /** How it is made: an engine in a rehearsal, or a change to the history of the control. */
  how: { engine: MisbehaviourName; spec: SpecName } | { doctored: Doctoring };
}

function engine(name: MisbehaviourName, what: string, caughtBy: string, spec: SpecName = 'plain'): Mutant {
  return { name, what, caughtBy, how: { engine: name, spec } };
}

function control(name: string, spec: SpecName): Mutant {
  return { name, what: `nothing is wrong (${spec})`, caughtBy: null, how: { engine: 'none', spec } };
}

function rehearsal(name: string, what: string, caughtBy: string, spec: SpecName): Mutant {
  return { name, what, caughtBy, how: { engine: 'none', spec } };
}

function doctored(name: string, what: string, caughtBy: string, how: Doctoring): Mutant {
  return { name, what, caughtBy, how: { doctored: how } };
}

export const CONTROL = 'control';

/** Long ones first, so that they do not come last. */
export const MUTANTS: readonly Mutant[] = [
  engine('falls-silent', 'says nothing for six seconds', 'liveness', 'long'),
  engine('tears-transactions', 'applies transactions in parts', 'transaction-ring', 'long'),
  engine('goes-back', 'applies old transactions again for a moment', 'monotone', 'long'),
  control(CONTROL, 'plain'),
  control('control-troubled', 'troubled'),
  control('control-two-targets', 'two targets'),
  engine('drops-commands', 'leaves out every tenth RPUSH', 'ledger-lost'),
  engine('duplicates-pushes', 'applies every RPUSH twice', 'ledger-duplicated'),
  engine('loses-expiries', 'leaves out every time to live', 'data-equal'),
  engine('swaps-databases', 'writes to the other database', 'db-isolation'),
  engine('truncates-values', 'cuts values short', 'data-equal'),
  engine('forgets-deletes', 'leaves out DEL and UNLINK', 'counts'),
  engine('reorders-pushes', 'exchanges neighbouring writes', 'ledger-reordered'),
  engine('loses-connection', 'starts over without a reason', 'resync'),
  engine('is-slow', 'is seconds behind', 'metrics'),
  engine('claims-early', 'claims to be done while it still writes', 'traffic-quiet'),
  engine('covers-up', 'counts bytes as read that it left out', 'offset-accounting'),
  engine('leaves-refusal', 'goes on after a refused command', 'drops-accounted'),
  engine('skips-link', 'serves one of two targets and reports both', 'data-equal', 'two targets'),
  engine('fails-at-the-end', 'gives up when told to stop', 'links-in-sync'),
  engine('finds-trouble', 'finds something grave', 'unexpected-findings'),
  engine('conceals-findings', 'says nothing of a flush', 'expected-findings', 'troubled'),
  engine('stays-away', 'does not come back from a cut', 'recovery', 'troubled'),
  engine('stumbles', 'has an unhandled error in its log', 'log-patterns'),
  engine('echoes', 'writes back to its source', 'ledger-duplicated'),
  engine('loses-on-both-sides', 'takes an acknowledged write from both sides', 'ledger-lost'),
  engine('reorders-both-sides', 'reorders on both sides', 'ledger-reordered'),
  engine('counts-twice', 'counts twice on both sides', 'counter-bounds'),
  engine('invents-elements', 'writes what nobody wrote, on both sides', 'ledger-unexpected'),
  engine('strays', 'copies a key to another database on both sides', 'db-isolation'),
  engine('never-quiet', 'never stops writing, without an effect', 'traffic-quiet'),
  engine('swallows-errors', 'says nothing of a refused command', 'error-accounting'),
  engine('leaks-heartbeat', 'copies a heartbeat', 'heartbeat-leak'),
  engine('leaks-key', 'leaves a temporary key behind', 'leaks'),
  engine('forks-source', 'makes its source fork', 'source-impact'),
  rehearsal('idle-fault', 'a fault without an effect', 'timeline-vacuity', 'idle fault'),
  rehearsal('denied-command', 'a kind of command that never succeeds', 'workload-vacuity', 'denied command'),
  doctored('cut-off', 'a runner that dies before the verdict', 'run-completed', cutOff),
  doctored('blind-comparison', 'a comparison that does not see a key', 'counts', blindComparison),
  doctored(
    'compares-another-link',
    'a comparison that leaves a link out',
    'convergence',
    comparesAnotherLink,
  ),
  doctored('forgets-ledger', 'clients whose writes nobody noted', 'expected-ledger', forgetsLedger),
  doctored('misplaces-key', 'a key in a slot of another node', 'slot-placement', misplacesKey),
];
