/**
 * Every read of a socket leaves buffers that nobody needs any more. V8 sees the few words that stand for each, not what is
 * behind them, and lets a hundred MB of them pile up before it begins to look, more while it looks. The heap of an engine is
 * small: looking through all of it takes milliseconds. So we ask for that in time.
 */
import { memoryUsage } from 'node:process';

/** How often it is looked, in bytes read. */
const LOOK_BYTES = 8 * 1024 * 1024;
/** What may come on top of what was in use at the last collection. */
const GROWTH_BYTES_MAX = 48 * 1024 * 1024;

let unseenBytes = 0;
let usedBytes = 0;

/**
 * So many bytes were read. Where the process was started without `--expose-gc` (tests, programs that use the engine as a
 * library) V8 is left alone.
 */
export function countReadGarbage(bytes: number): void {
  unseenBytes += bytes;
  if (unseenBytes < LOOK_BYTES || globalThis.gc === undefined) return;
  unseenBytes = 0;
  const { arrayBuffers } = memoryUsage();
  usedBytes = Math.min(usedBytes, arrayBuffers);
  if (arrayBuffers - usedBytes < GROWTH_BYTES_MAX) return;
  globalThis.gc();
  usedBytes = memoryUsage().arrayBuffers;
}
