/** What a process uses at this moment, as the operating system and the process itself see it. Linux only. */
import { readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { LinkStatus } from '../../engine/link/messages.ts';
import type { Probe } from './probe.ts';

export interface Vitals {
  atMs: number;
  rssBytes: number;
  /** Open file descriptors; of them files in the spool folder. */
  descriptors: number;
  spoolDescriptors: number;
  spoolFiles: number;
  logMemoryBytes: number;
  logDiskBytes: number;
  abortListeners: number;
  resources: number;
}

/** @throws when the process is gone. */
export async function readVitals(from: {
  pid: number;
  status: LinkStatus | undefined;
  spoolFolder: string;
  probeFile: string;
}): Promise<Vitals> {
  const { pid, status, spoolFolder, probeFile } = from;
  const open = await descriptorsOf(pid);
  const probe = parseProbe(await readFile(probeFile, 'utf8'));
  return {
    atMs: performance.now(),
    rssBytes: await residentBytes(pid),
    descriptors: open.length,
    spoolDescriptors: open.filter((path) => path.startsWith(spoolFolder)).length,
    spoolFiles: (await readdir(spoolFolder).catch(() => [])).length,
    logMemoryBytes: status?.log.memoryBytes ?? 0,
    logDiskBytes: status?.log.diskBytes ?? 0,
    abortListeners: probe.abortListeners,
    resources: probe.resources,
  };
}

async function residentBytes(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/status`, 'utf8');
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(text)?.[1];
  if (kibibytes === undefined) throw new Error(`process ${pid} tells no resident memory`);
  return Number(kibibytes) * 1024;
}

/** Where each descriptor points to. One may be closed while we look. */
async function descriptorsOf(pid: number): Promise<string[]> {
  const folder = `/proc/${pid}/fd`;
  const names = await readdir(folder);
  const paths = await Promise.all(names.map((name) => readlink(join(folder, name)).catch(() => undefined)));
  return paths.filter((path) => path !== undefined);
}

function parseProbe(text: string): Probe {
  const parsed: unknown = JSON.parse(text);
  if (!isProbe(parsed)) throw new Error(`not a probe: ${text}`);
  return parsed;
}

function isProbe(value: unknown): value is Probe {
  return (
    typeof value === 'object' &&
    value !== null &&
    ['abortListeners', 'resources', 'heapBytes', 'externalBytes'].every(
      (name) => name in value && typeof Reflect.get(value, name) === 'number',
    )
  );
}
