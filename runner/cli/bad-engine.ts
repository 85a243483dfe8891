/** `redis-sync bad-engine NAME [FILE]`: a known-bad engine; started by `selftest` with an IPC channel. Its deeds go to FILE. */
import { runBadEngine } from '../selftest/bad-engine.ts';
import { confessTo } from '../selftest/confession.ts';
import { findMisbehaviour } from '../selftest/misbehaviours.ts';

export async function badEngine(name: string, deedsFile?: string): Promise<number> {
  await runBadEngine(findMisbehaviour(name), confessTo(deedsFile));
  return 0;
}
