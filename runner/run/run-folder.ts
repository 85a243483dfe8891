/**
 * Where a run lives: `<out>/runs/<id>/` with plan, history, results, reports, logs and servers, and `<out>/latest` that
 * points to the newest.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, readlink, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { asError, SyncError } from '../../engine/errors.ts';
import type { Plan } from '../plan/plan.ts';

export interface RunFolder {
  id: string;
  /** Absolute. */
  path: string;
  /** As a person would type it from the current directory. */
  shown: string;
}

/** `20261120-083015-one-way-3f9a`: sorts by time, says what it is, never collides. */
function newRunId(name: string, now: Date): string {
  const time = now.toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15);
  const word = name.replace(/[^A-Za-z0-9._-]+/g, '-').slice(0, 40) || 'run';
  return `${time}-${word}-${randomBytes(2).toString('hex')}`;
}

/** Creates the folder and stores the plan in it. @throws SyncError USAGE when the place cannot be written. */
export async function createRunFolder(out: string, plan: Pick<Plan, 'name'>): Promise<RunFolder> {
  const id = newRunId(plan.name, new Date());
  const path = resolve(out, 'runs', id);
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
    await writeFile(join(path, 'plan.json'), `${JSON.stringify(plan, null, 2)}\n`);
  } catch (error) {
    throw new SyncError('USAGE', `The run folder cannot be created: ${asError(error).message}.`, {
      where: path,
      hint: 'Name a folder that can be written with --out.',
      cause: error,
    });
  }
  await pointLatest(resolve(out), id);
  return { id, path, shown: showPath(path) };
}

/** Relative below the current directory; elsewhere `../../…` would tell less than the whole path. */
function showPath(path: string): string {
  const below = relative(process.cwd(), path);
  return below === '' || below.startsWith('..') ? path : below;
}

/** Best effort: a file system without links, or a `latest` somebody else made, must not stop a run. */
async function pointLatest(out: string, id: string): Promise<void> {
  const link = join(out, 'latest');
  const fresh = join(out, `.latest-${id}`);
  try {
    const existing = await readlink(link).catch(() => null);
    if (existing === null && (await exists(link))) return;
    await symlink(join('runs', id), fresh);
    await rename(fresh, link);
  } catch {
    await rm(fresh, { force: true });
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
