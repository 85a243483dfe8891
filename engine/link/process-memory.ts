/**
 * How the process of a replicator is to be started, so that it stays small. An engine moves bytes: what it allocates lives for
 * microseconds, or as long as the log needs it. Left alone, garbage of it would be most of its memory.
 */

/**
 * Flags of Node. A nursery of 48 MB (the default) only holds more of what has died; and a heap that may grow to four times
 * what lived at the last collection (the default) holds three parts of garbage. The heap is so small that marking it in four
 * threads at once costs more than it saves, and what it costs is taken from the servers on the same machine. When to collect,
 * the receiver knows better (psync/read-garbage.ts).
 */
export const REPLICATOR_FLAGS: readonly string[] = [
  '--max-semi-space-size=4',
  '--heap-growing-percent=50',
  '--single-threaded-gc',
  '--expose-gc',
];

/**
 * For the C library. Buffers come and go in several threads: no arena for each, which would keep what was freed. Large ones,
 * those of the log first of all, are mapped one by one and given back at once; this bound would rise by itself.
 */
export const REPLICATOR_ENVIRONMENT: Readonly<Record<string, string>> = {
  MALLOC_ARENA_MAX: '2',
  MALLOC_MMAP_THRESHOLD_: '131072',
};
