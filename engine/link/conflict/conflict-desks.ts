/** The desks of the circles whose links run in this process: those that name the same instances in the same order. */
import { ConflictDesk, type DeskMember } from './conflict-desk.ts';
import { ConflictResolver, type ResolverOptions } from './conflict-resolver.ts';
import type { ConflictSide } from './conflict-side.ts';

/** One link's place at a desk. */
export interface DeskSeat {
  watch: ConflictSide;
  /** Keys that may still differ; 0 while a link of the circle does not run. */
  readonly open: number;
  /** The link ends. */
  leave(): Promise<void>;
}

interface Circle {
  desk: ConflictDesk;
  resolver: ConflictResolver;
  seats: number;
}

export class ConflictDesks {
  readonly #circles = new Map<string, Circle>();

  join(member: DeskMember, options: ResolverOptions): DeskSeat {
    const name = JSON.stringify(options.order);
    const circle = this.#circles.get(name) ?? open(options);
    this.#circles.set(name, circle);
    circle.seats++;
    const watch = circle.desk.join(member);
    return {
      watch,
      get open() {
        const { members, contests, incomplete } = circle.desk;
        return members === undefined ? 0 : contests.size + (incomplete ? 1 : 0);
      },
      leave: async () => {
        circle.desk.leave(watch);
        if (--circle.seats > 0) return;
        this.#circles.delete(name);
        await circle.resolver.close();
      },
    };
  }
}

function open(options: ResolverOptions): Circle {
  const desk = new ConflictDesk(options.order, options.policy !== 'overwrite');
  return { desk, resolver: new ConflictResolver(desk, options), seats: 0 };
}
