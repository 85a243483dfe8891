/** Every known-bad engine by its name. `none` does nothing wrong: it shows that standing in between does no harm. */
import {
  claimsEarly,
  concealsFindings,
  coversUp,
  failsAtTheEnd,
  fallsSilent,
  findsTrouble,
  leavesRefusal,
  skipsLink,
  staysAway,
  stumbles,
} from './lies.ts';
import {
  countsTwice,
  echoes,
  forksSource,
  inventsElements,
  isNeverQuiet,
  leaksHeartbeat,
  leaksKey,
  losesOnBothSides,
  reordersBothSides,
  strays,
  swallowsErrors,
} from './meddlings.ts';
import type { Misbehaviour, StreamCommand, StreamOutput } from './misbehaviour.ts';
import {
  dropsCommands,
  duplicatesPushes,
  forgetsDeletes,
  goesBack,
  isSlow,
  losesConnection,
  losesExpiries,
  reordersPushes,
  swapsDatabases,
  tearsTransactions,
  truncatesValues,
} from './stream-misbehaviours.ts';

const none: Misbehaviour = {
  stream: () => (command: StreamCommand, out: StreamOutput) => out.send(command.raw),
  tell: () => (message) => [message],
};

export const MISBEHAVIOURS = {
  none,
  'drops-commands': dropsCommands,
  'duplicates-pushes': duplicatesPushes,
  'loses-expiries': losesExpiries,
  'swaps-databases': swapsDatabases,
  'truncates-values': truncatesValues,
  'forgets-deletes': forgetsDeletes,
  'reorders-pushes': reordersPushes,
  'tears-transactions': tearsTransactions,
  'goes-back': goesBack,
  'loses-connection': losesConnection,
  'is-slow': isSlow,
  'claims-early': claimsEarly,
  'covers-up': coversUp,
  'leaves-refusal': leavesRefusal,
  'skips-link': skipsLink,
  'falls-silent': fallsSilent,
  'fails-at-the-end': failsAtTheEnd,
  'finds-trouble': findsTrouble,
  'conceals-findings': concealsFindings,
  'stays-away': staysAway,
  stumbles,
  echoes,
  'loses-on-both-sides': losesOnBothSides,
  'reorders-both-sides': reordersBothSides,
  'counts-twice': countsTwice,
  'invents-elements': inventsElements,
  strays,
  'never-quiet': isNeverQuiet,
  'swallows-errors': swallowsErrors,
  'leaks-heartbeat': leaksHeartbeat,
  'leaks-key': leaksKey,
  'forks-source': forksSource,
} as const satisfies Record<string, Misbehaviour>;

export type MisbehaviourName = keyof typeof MISBEHAVIOURS;

/** @throws RangeError for a name that is not there. */
export function findMisbehaviour(name: string): Misbehaviour {
  const found = Object.entries(MISBEHAVIOURS).find(([known]) => known === name);
  if (found === undefined) throw new RangeError(`there is no known-bad engine "${name}"`);
  return found[1];
}
