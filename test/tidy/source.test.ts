/**
 * Rules about the source itself: who may import whom, how long files get, what must not stand in them. A rule here is one
 * that nobody should have to remember.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const ROOMS = ['engine', 'reports', 'scenarios', 'runner'];

/** Which rooms a room may import from, itself included. */
const ALLOWED: Record<string, readonly string[]> = {
  engine: ['engine'],
  reports: ['reports'],
  scenarios: ['scenarios', 'engine', 'reports'],
  runner: ROOMS,
};

/** Tables and machine-written files may be longer. */
const LONG_FILES = new Set(['runner/spec/spec.generated.ts']);
const LINES_MAX = 600;

const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: ROOT,
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => file !== '' && existsSync(join(ROOT, file)));
const sources = files.filter((file) => /\.(ts|mts|mjs)$/.test(file) && ROOMS.includes(roomOf(file)));

function roomOf(file: string): string {
  return file.split('/')[0] ?? '';
}

function read(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8');
}

function importsOf(file: string): string[] {
  const found = read(file).matchAll(
    /(?:^|\n)\s*(?:import|export)[^'"\n;]*?from\s+'([^']+)'|import\(\s*'([^']+)'\s*\)|import\s+'([^']+)'/g,
  );
  return [...found]
    .map((match) => match[1] ?? match[2] ?? match[3] ?? '')
    .filter((specifier) => specifier.startsWith('.'));
}

function codeOf(file: string): string {
  return read(file).replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*/g, '');
}

describe('the source', () => {
  it('has files to look at', () => {
    expect(sources.length).toBeGreaterThan(100);
  });

  it('imports in one direction: engine ← scenarios ← runner, reports ← scenarios ← runner', () => {
    const wrong = sources.flatMap((file) =>
      importsOf(file)
        .map((specifier) => roomOf(relative(ROOT, normalize(join(ROOT, dirname(file), specifier)))))
        .filter((room) => !(ALLOWED[roomOf(file)] ?? []).includes(room))
        .map((room) => `${file} imports from ${room}/`),
    );
    expect(wrong).toEqual([]);
  });

  it('keeps the codecs sans-IO: no sockets, files, timers or processes in resp/ and rdb/', () => {
    const codecs = sources.filter((file) => /^engine\/(resp|rdb)\//.test(file));
    const wrong = codecs.filter((file) =>
      /from 'node:(net|tls|fs|fs\/promises|child_process|timers|http)'|setTimeout|setInterval/.test(
        read(file),
      ),
    );
    expect(codecs.length).toBeGreaterThan(10);
    expect(wrong).toEqual([]);
  });

  it('begins every file with a sentence of purpose', () => {
    const wrong = sources.filter((file) => !/^(#![^\n]*\n)?\s*(\/\*\*|\/\*|\/\/)/.test(read(file)));
    expect(wrong).toEqual([]);
  });

  it(`has no file over ${LINES_MAX} lines`, () => {
    const wrong = sources
      .filter((file) => !LONG_FILES.has(file))
      .map((file) => ({ file, lines: read(file).split('\n').length }))
      .filter(({ lines }) => lines > LINES_MAX);
    expect(wrong).toEqual([]);
  });

  it('has no barrels, no utils, no leftovers', () => {
    expect(sources.filter((file) => /\/(index|utils?|helpers?|misc|common)\.ts$/.test(file))).toEqual([]);
    // Prose may say "any" after a colon; code may not.
    const left = sources.filter(
      (file) =>
        /\b(TODO|FIXME|XXX|HACK)\b|@ts-ignore|@ts-nocheck/.test(read(file)) ||
        /: any\b|\bas any\b/.test(codeOf(file)),
    );
    expect(left).toEqual([]);
  });

  it('names no machine, registry or workplace in anything that is committed', () => {
    const text = files.filter((file) => !/\.(rdb|bin|png)$/.test(file) && !file.startsWith('test/tidy/'));
    const wrong = text.filter((file) =>
      /\/(?:work|root)\/|registry\.npm|\bsubagents?\b|\.library\//i.test(read(file)),
    );
    expect(wrong).toEqual([]);
  });
});
