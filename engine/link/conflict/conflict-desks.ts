/** The desks of the pairs whose directions run in this process. A pair is one when both name each other's ends. */
import type { Origins } from '../../apply/origin/origin-path.ts';
import { ConflictDesk, type DeskMember } from './conflict-desk.ts';
import { ConflictResolver, type ResolverOptions } from './conflict-resolver.ts';
import type { ConflictSide } from './conflict-side.ts';

/** One direction's place at a desk. */
export interface DeskSeat {
  watch: ConflictSide;
  /** Keys that may still differ; 0 while the other direction does not run. */
  readonly open: number;
  /** The direction ends. */
  leave(): Promise<void>;
}

interface Pair {
  desk: ConflictDesk;
  resolver: ConflictResolver;
  seats: number;
}

export class ConflictDesks {
  readonly #pairs = new Map<string, Pair>();

  join({ source, target }: Origins, member: DeskMember, options: ResolverOptions): DeskSeat {
    const name = JSON.stringify([source, target].toSorted());
    const pair = this.#pairs.get(name) ?? open(options);
    this.#pairs.set(name, pair);
    pair.seats++;
    const watch = pair.desk.join(member);
    return {
      watch,
      get open() {
        const { members, contests, incomplete } = pair.desk;
        return members === undefined ? 0 : contests.size + (incomplete ? 1 : 0);
      },
      leave: async () => {
        pair.desk.leave(watch);
        if (--pair.seats > 0) return;
        this.#pairs.delete(name);
        await pair.resolver.close();
      },
    };
  }
}

function open(options: ResolverOptions): Pair {
  const desk = new ConflictDesk(options.policy !== 'overwrite');
  return { desk, resolver: new ConflictResolver(desk, options), seats: 0 };
}
