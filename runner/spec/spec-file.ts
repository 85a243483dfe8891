/** Reads a spec file; what goes wrong becomes a problem like any other. */
import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { asError } from '../../engine/errors.ts';
import type { Problem } from './problem.ts';
import { nearest } from './suggest.ts';

/** No spec is this large: somebody named a data file. */
const BYTES_MAX = 4 * 1024 * 1024;

export async function readSpecFile(
  path: string,
): Promise<{ kind: 'ok'; text: string } | { kind: 'bad'; problem: Problem }> {
  try {
    const bytes = await readFile(path);
    if (bytes.length > BYTES_MAX) return bad(path, 'the file is larger than 4 MB, which no spec is');
    return { kind: 'ok', text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch (thrown) {
    return explain(path, asError(thrown));
  }
}

function explain(path: string, error: NodeJS.ErrnoException): { kind: 'bad'; problem: Problem } {
  switch (error.code ?? '') {
    case 'ENOENT':
    case 'ENOTDIR': {
      const other = neighbour(path);
      return bad(
        path,
        `there is no such file${other === undefined ? '' : `; did you mean ${other}?`}`,
        'the path of a spec, e.g. specs/one-way.yaml',
      );
    }
    case 'EISDIR':
      return bad(path, 'this is a folder', filesIn(path));
    case 'EACCES':
    case 'EPERM':
      return bad(path, 'no permission to read this file');
    case 'ERR_ENCODING_INVALID_ENCODED_DATA':
      return bad(path, 'the file is not UTF-8 text');
    default:
      return bad(path, `the file cannot be read: ${error.message}`);
  }
}

/** A file beside it with a similar name, or the same name with the ending that was left out. */
function neighbour(path: string): string | undefined {
  const found =
    nearest(basename(path), yamlFiles(dirname(path))) ??
    yamlFiles(dirname(path)).find((name) => name.startsWith(`${basename(path)}.`));
  return found === undefined ? undefined : join(dirname(path), found);
}

function filesIn(folder: string): string {
  const files = yamlFiles(folder).map((name) => join(folder, name));
  return files.length === 0
    ? 'a spec file; there is no *.yaml in this folder'
    : `a file in it: ${files.join(', ')}`;
}

function yamlFiles(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => /\.ya?ml$/.test(name))
      .toSorted();
  } catch {
    // The folder is missing too: nothing to suggest.
    return [];
  }
}

function bad(file: string, message: string, expected?: string): { kind: 'bad'; problem: Problem } {
  return {
    kind: 'bad',
    problem: { file, line: 0, column: 0, message, ...(expected === undefined ? {} : { expected }) },
  };
}
