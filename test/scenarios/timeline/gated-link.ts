/** A link whose gate remembers what it is told, for triggers by bytes. */
import type { Aim, FaultLink, Subjects } from '../../../scenarios/faults/subjects.ts';
import type { GateControl } from '../../../scenarios/proxy/gate-control.ts';
import { NO_SUBJECTS } from '../no-subjects.ts';

export class GatedLink {
  readonly told: string[] = [];
  readonly subjects: Subjects = { ...NO_SUBJECTS, aim: (where) => this.#aim(where) };
  #onReached: (() => void) | undefined;

  /** A connection has come to the byte that is watched. */
  reach(): void {
    this.#onReached?.();
  }

  #aim(where: string): Aim {
    return { kind: 'link', link: this.#link(), side: where.endsWith('target') ? 'target' : 'source' };
  }

  #link(): FaultLink {
    const gate: GateControl = {
      name: 'gate',
      add: () => this.#note('add'),
      remove: () => this.#note('remove'),
      reset: () => this.#note('reset'),
      status: () => Promise.reject(new Error('nobody asks')),
      watch: ({ name, bytes, stream }, onReached) => {
        this.#onReached = onReached;
        return this.#note(`watch ${name} ${stream} ${bytes}`);
      },
      release: (name) => this.#note(`release ${name}`),
    };
    const engine = {
      pid: 1,
      kill: () => this.#note('kill'),
      stop: async () => {
        await this.#note('stop');
        return { pids: [1], inOrder: true, appliedOffset: '0' };
      },
      restart: () => this.#note('restart'),
      pause: () => this.#note('pause'),
      resume: () => void this.#note('resume'),
    };
    const suspend = (): void => void this.#note('suspend');
    const names = { id: 'main', source: 's', target: 't', state: 'Synchronizing' };
    return { ...names, engine, suspend, resume: suspend, gate: () => gate };
  }

  #note(what: string): Promise<void> {
    this.told.push(what);
    return Promise.resolve();
  }
}
