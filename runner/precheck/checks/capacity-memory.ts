/** capacity.memory: the data of all sources fits into the target, with a tenth to spare. */
import type { DestinationSubject, Outcome, Precheck } from '../precheck.ts';
import type { Side } from '../side.ts';

const COMFORTABLE_RATIO = 1.1;

export const capacityMemory: Precheck = {
  id: 'capacity.memory',
  about: 'destination',
  expected: `free memory of the target ≥ ${COMFORTABLE_RATIO} × the data of its sources`,
  async measure(subject) {
    const needed = await sumDatasets(subject);
    const { freeBytes, limit } = await readFree(subject.target);
    const measured = `INFO memory → ${megabytes(needed)} to come, ${megabytes(freeBytes)} free (${limit})`;
    if (freeBytes >= needed * COMFORTABLE_RATIO) return { verdict: 'PASS', measured };
    const repair = `Give the target at least ${megabytes(needed * COMFORTABLE_RATIO)} of free memory (CONFIG SET maxmemory, or a bigger machine).`;
    return { verdict: freeBytes >= needed ? 'WARN' : 'FAIL', measured, repair } satisfies Outcome;
  },
};

async function sumDatasets({ sources }: DestinationSubject): Promise<number> {
  const infos = await Promise.all(sources.map((source) => source.info('memory')));
  // used_memory_dataset (since 4.0) leaves out what is not data: buffers, the backlog.
  return infos.reduce(
    (sum, info) => sum + Number(info['used_memory_dataset'] ?? info['used_memory'] ?? 0),
    0,
  );
}

async function readFree(target: Side): Promise<{ freeBytes: number; limit: string }> {
  const info = await target.info('memory');
  const used = Number(info['used_memory'] ?? 0);
  const maxmemory = Number(info['maxmemory'] ?? 0);
  if (maxmemory > 0)
    return { freeBytes: Math.max(0, maxmemory - used), limit: `maxmemory ${megabytes(maxmemory)}` };
  const system = Number(info['total_system_memory'] ?? 0);
  if (system > 0) return { freeBytes: Math.max(0, system - used), limit: 'no maxmemory, of the machine' };
  return { freeBytes: Infinity, limit: 'no limit known' };
}

function megabytes(bytes: number): string {
  return Number.isFinite(bytes) ? `${(bytes / 1024 / 1024).toFixed(1)} MB` : 'unlimited';
}
