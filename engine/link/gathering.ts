/**
 * Waits for links that begin at about the same time, so that one PSYNC serves them all: for every one that is still being
 * prepared, but not for long, because a target that is down must not hold up the others.
 */
import { delay } from '../psync/backoff.ts';

/** For a target that is slow to answer. */
const PATIENCE_MS = 1500;

export class Gathering<Member> {
  readonly #begin: (members: Member[]) => Promise<void>;
  #preparing = 0;
  #ready: Member[] = [];
  #closing: { allAreHere: () => void; begun: Promise<void> } | undefined;

  /** @param begin is given everybody who was gathered; each `join` of theirs ends with it. */
  constructor(begin: (members: Member[]) => Promise<void>) {
    this.#begin = begin;
  }

  /** Somebody is being prepared, and will either join or leave. */
  expect(): void {
    this.#preparing++;
  }

  leave(): void {
    this.#preparing--;
    if (this.#preparing === 0) this.#closing?.allAreHere();
  }

  /** Nobody is waited for any more. */
  hurry(): void {
    this.#closing?.allAreHere();
  }

  /** Resolves when everybody gathered has begun. */
  async join(member: Member): Promise<void> {
    this.#ready.push(member);
    this.#closing ??= this.#open();
    const { begun } = this.#closing;
    this.leave();
    await begun;
  }

  #open(): { allAreHere: () => void; begun: Promise<void> } {
    const waiting = new AbortController();
    const begun = delay(PATIENCE_MS, waiting.signal).then(() => {
      const members = this.#ready;
      this.#ready = [];
      this.#closing = undefined;
      return this.#begin(members);
    });
    return { allAreHere: () => waiting.abort(), begun };
  }
}
