/** `redis-sync bad-engine NAME`: a known-bad engine; started by `selftest` with an IPC channel. */
import { runBadEngine } from '../selftest/bad-engine.ts';
import { findMisbehaviour } from '../selftest/misbehaviours.ts';

export async function badEngine(name: string): Promise<number> {
  await runBadEngine(findMisbehaviour(name));
  return 0;
}
