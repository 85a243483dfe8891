/** The parts under the commands: output, failures, signals, and what is loaded for --help. */
import { EventEmitter } from 'node:events';
import { readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import { SyncError } from '../../../engine/errors.ts';
import { reportFailure } from '../../../runner/cli/failure.ts';
import { createIo, withFlags } from '../../../runner/cli/io.ts';
import { withSignals } from '../../../runner/cli/signals.ts';
import { captureIo } from './capture.ts';

function hasColor(env: NodeJS.ProcessEnv, isTTY: boolean): boolean {
  return createIo({ write: () => true, isTTY }, { write: () => true }, env).outColors.isColorSupported;
}

function isCi(env: NodeJS.ProcessEnv): boolean {
  return captureIo(env).io.isCi;
}

function failure(
  thrown: unknown,
  env: NodeJS.ProcessEnv = {},
  flags = {},
): { exitCode: number; out: string; err: string } {
  const captured = captureIo(env);
  const exitCode = reportFailure(thrown, withFlags(captured.io, flags));
  return { exitCode, out: captured.out(), err: captured.err() };
}

class FakeProcess extends EventEmitter {
  readonly exits: number[] = [];
  readonly exit = (code: number): void => {
    this.exits.push(code);
  };
}

function whenAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

describe('colors', () => {
  test.each([
    [{}, true, true],
    [{}, false, false],
    [{ TERM: 'dumb' }, true, false],
    [{ NO_COLOR: '1' }, true, false],
    [{ NO_COLOR: '' }, true, true],
    [{ FORCE_COLOR: '1' }, false, true],
    [{ FORCE_COLOR: '0' }, true, false],
    [{ FORCE_COLOR: '1', NO_COLOR: '1' }, false, true],
  ])('%j on a terminal: %s → %s', (env, isTTY, expected) => expect(hasColor(env, isTTY)).toBe(expected));

  test('each stream for itself; --no-color for both', () => {
    const io = createIo({ write: () => true, isTTY: true }, { write: () => true, isTTY: false }, {});
    expect([io.outColors.isColorSupported, io.errColors.isColorSupported]).toEqual([true, false]);
    expect(withFlags(io, { color: false }).outColors.isColorSupported).toBe(false);
  });

  test('CI', () => {
    expect([{}, { CI: 'true' }, { CI: '1' }, { CI: 'false' }, { CI: '' }].map(isCi)).toEqual([
      false,
      true,
      true,
      false,
      false,
    ]);
  });
});

describe('failures', () => {
  test('what, where, why, and what to do', () => {
    const cause = new Error('connect ECONNREFUSED 10.0.0.5:6379');
    const error = new SyncError('CONNECT', 'connection refused', {
      where: '10.0.0.5:6379',
      hint: 'Is it running?',
      cause,
    });
    expect(failure(error)).toEqual({
      exitCode: 3,
      out: '',
      err: 'error: 10.0.0.5:6379: connection refused\n  cause: connect ECONNREFUSED 10.0.0.5:6379\n  hint: Is it running?\n',
    });
  });

  test('as a document under --json', () => {
    const { exitCode, out } = failure(
      new SyncError('POLICY', 'the source was flushed', { where: 'link a' }),
      {},
      { json: true },
    );
    expect(exitCode).toBe(1);
    expect(JSON.parse(out)).toEqual({
      error: { code: 'POLICY', message: 'the source was flushed', where: 'link a' },
      exitCode: 1,
    });
  });

  test('a bug is short, unless asked for more', () => {
    const bug = new TypeError('x is not a function', { cause: new Error('deep') });
    const short = failure(bug);
    expect(short.exitCode).toBe(5);
    expect(short.err).toMatch(/^error: x is not a function\n {2}hint: This is a bug of redis-sync\..*\n$/);
    expect(failure(bug, {}, { verbose: true }).err).toMatch(/seams\.test\.ts.*caused by Error: deep/s);
    expect(failure(bug, { DEBUG: '1' }).err).toContain('seams.test.ts');
    expect(failure(new SyncError('CONNECT', 'no'), {}, { verbose: true }).err).toBe('error: no\n');
  });

  test('anything can be thrown', () => expect(failure('just a text').err).toContain('error: just a text\n'));
});

describe('signals', () => {
  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ])('%s aborts the command and is its exit code', async (name, expected) => {
    const source = new FakeProcess();
    const { io, err } = captureIo();
    const running = withSignals(
      io,
      async (signal) => {
        await whenAborted(signal);
        return 0;
      },
      { source },
    );
    source.emit(name, name);
    expect(await running).toBe(expected);
    expect(err()).toContain(`${name}: stopping`);
    expect(source.eventNames()).toEqual([]);
  });

  test('a second one ends the process at once', async () => {
    const source = new FakeProcess();
    let release: (() => void) | undefined;
    const running = withSignals(
      captureIo().io,
      () => new Promise((resolve) => (release = () => resolve(0))),
      { source },
    );
    source.emit('SIGINT', 'SIGINT');
    expect(source.exits).toEqual([]);
    source.emit('SIGTERM', 'SIGTERM');
    expect(source.exits).toEqual([143]);
    release?.();
    await running;
  });

  test('being interrupted can be the normal end', async () => {
    const source = new FakeProcess();
    const running = withSignals(captureIo().io, (signal) => whenAborted(signal).then(() => 0), {
      source,
      isNormalEnd: true,
    });
    source.emit('SIGINT', 'SIGINT');
    expect(await running).toBe(0);
  });

  test.each([
    ['without a terminal', [false, false]],
    ['from another terminal', [true, true]],
  ])(
    'SIGHUP %s is a request to a command that takes it, as often as it comes',
    async (_how, [before, after]) => {
      const source = new FakeProcess();
      const requests: string[] = [];
      const terminals = [before, after, after];
      const running = withSignals(captureIo().io, (signal) => whenAborted(signal).then(() => 0), {
        source,
        onReload: () => requests.push('reload'),
        hasTerminal: () => terminals.shift() === true,
      });
      source.emit('SIGHUP', 'SIGHUP');
      source.emit('SIGHUP', 'SIGHUP');
      expect(requests).toEqual(['reload', 'reload']);
      source.emit('SIGTERM', 'SIGTERM');
      expect(await running).toBe(143);
    },
  );

  test('the SIGHUP of a terminal that goes away still ends it', async () => {
    const source = new FakeProcess();
    const requests: string[] = [];
    const terminals = [true, false];
    const running = withSignals(captureIo().io, (signal) => whenAborted(signal).then(() => 0), {
      source,
      onReload: () => requests.push('reload'),
      hasTerminal: () => terminals.shift() === true,
    });
    source.emit('SIGHUP', 'SIGHUP');
    expect(await running).toBe(129);
    expect(requests).toEqual([]);
  });

  test('throwing because of it is being interrupted; throwing anything else is not', async () => {
    const source = new FakeProcess();
    const { io } = captureIo();
    const stopped = withSignals(
      io,
      (signal) =>
        whenAborted(signal)
          .then(() => signal.throwIfAborted())
          .then(() => 0),
      { source },
    );
    source.emit('SIGINT', 'SIGINT');
    expect(await stopped).toBe(130);
    const bug = withSignals(
      io,
      (signal) => whenAborted(signal).then(() => Promise.reject(new Error('bug'))),
      { source },
    );
    source.emit('SIGINT', 'SIGINT');
    await expect(bug).rejects.toThrow('bug');
  });

  test('without a signal nothing changes', async () => {
    const source = new FakeProcess();
    expect(await withSignals(captureIo().io, () => Promise.resolve(4), { source })).toBe(4);
    expect(source.eventNames()).toEqual([]);
  });
});

/** What is imported at once, not on demand: files relative to the root, and packages. */
function loadedBy(file: string, seen = new Set<string>()): Set<string> {
  const root = join(import.meta.dirname, '../../..');
  seen.add(relative(root, file));
  const text = readFileSync(file, 'utf8');
  for (const [, typeOnly, specifier = ''] of text.matchAll(
    /^(?:import|export) (type )?(?:[^'"]*? from )?'([^']+)';/gm,
  )) {
    if (typeOnly !== undefined || specifier.startsWith('node:')) continue;
    if (!specifier.startsWith('.')) seen.add(specifier);
    else if (!seen.has(relative(root, join(dirname(file), specifier))))
      loadedBy(join(dirname(file), specifier), seen);
  }
  return seen;
}

test('--help loads nothing heavy: no YAML, no schema, no engine', () => {
  expect([...loadedBy(join(import.meta.dirname, '../../../runner/bin.ts'))].toSorted()).toEqual([
    'commander',
    'engine/errors.ts',
    'picocolors',
    'runner/bin.ts',
    'runner/cli/failure.ts',
    'runner/cli/io.ts',
    'runner/cli/main.ts',
    'runner/cli/package-files.ts',
    'runner/cli/program.ts',
    'scenarios/chaos/profiles.ts',
  ]);
});
