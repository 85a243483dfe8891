/** Outcomes: of single commands, inside transactions, of lost batches. */
import { describe, expect, test } from 'vitest';
import { ReplyError, type Reply } from '../../../engine/resp/reply.ts';
import {
  commandName,
  Tally,
  type OperationRun,
  type Outcome,
  type SentCommand,
} from '../../../scenarios/workload/tally.ts';

const run = (open: number): OperationRun => ({ name: 'op', open, worst: 'ok' });
const sent = (...names: string[]): SentCommand[] => names.map((name) => ({ name, run: run(1) }));
const settled = (names: string[], replies: Reply[]): Tally => {
  const tally = new Tally();
  tally.settle(sent(...names), replies);
  return tally;
};
const counts = (tally: Tally): Record<string, string> =>
  Object.fromEntries(
    [...tally.perCommand].map(([name, { ok, failed, unknown }]) => [name, `${ok}/${failed}/${unknown}`]),
  );

/** Two commands of one operation. */
function pair(): SentCommand[] {
  const both = run(2);
  return [
    { name: 'set', run: both },
    { name: 'append', run: both },
  ];
}

describe('Tally', () => {
  test('nil and zero are good answers, an error reply is not', () => {
    const tally = settled(['set', 'setnx', 'append'], [null, 0, new ReplyError('OOM command not allowed')]);
    expect(counts(tally)).toEqual({ set: '1/0/0', setnx: '1/0/0', append: '0/1/0' });
    expect(Object.fromEntries(tally.errors)).toEqual({ OOM: 1 });
  });

  test('the elements of EXEC are the outcomes, QUEUED is none', () => {
    const replies = ['OK', 'QUEUED', 'QUEUED', [1, new ReplyError('WRONGTYPE x')], 'OK'];
    const tally = settled(['multi', 'incr', 'lpush', 'exec', 'set'], replies);
    expect(counts(tally)).toEqual({
      multi: '1/0/0',
      incr: '1/0/0',
      lpush: '0/1/0',
      exec: '1/0/0',
      set: '1/0/0',
    });
    expect(tally.total).toEqual({ ok: 4, failed: 1, unknown: 0 });
  });

  test('a command refused while queueing fails once, and the aborted rest with it', () => {
    const replies = ['OK', 'QUEUED', new ReplyError('OOM no'), new ReplyError('EXECABORT discarded')];
    const tally = settled(['multi', 'del', 'incr', 'exec'], replies);
    expect(counts(tally)).toEqual({ multi: '1/0/0', del: '0/1/0', incr: '0/1/0', exec: '0/1/0' });
    expect(Object.fromEntries(tally.errors)).toEqual({ OOM: 1, EXECABORT: 1 });
  });

  test('a transaction given up because of WATCH did nothing', () => {
    expect(counts(settled(['watch', 'multi', 'incr', 'exec'], ['OK', 'OK', 'QUEUED', null]))).toMatchObject({
      incr: '0/1/0',
      exec: '1/0/0',
    });
  });

  test('DISCARD ends a transaction', () => {
    const tally = settled(['multi', 'set', 'discard', 'get'], ['OK', 'QUEUED', 'OK', null]);
    expect(counts(tally)).toEqual({ multi: '1/0/0', set: '1/0/0', discard: '1/0/0', get: '1/0/0' });
  });

  test('a refused MULTI leaves the following commands on their own', () => {
    const denied = new ReplyError('NOPERM no');
    const tally = settled(['multi', 'set', 'exec'], [denied, 'OK', new ReplyError('ERR EXEC without MULTI')]);
    expect(counts(tally)).toEqual({ multi: '0/1/0', set: '1/0/0', exec: '0/1/0' });
  });

  test('a lost batch is unknown, and every command is told its outcome once', () => {
    const tally = new Tally();
    const told: Outcome[] = [];
    const command: SentCommand = { name: 'incr', run: run(3), settle: (outcome) => told.push(outcome) };
    tally.settle([command, command], [1, new ReplyError('OOM x')]);
    tally.lose([command]);
    expect(told).toEqual(['ok', 'failed', 'unknown']);
  });

  test('an operation is as good as the worst of its commands', () => {
    const tally = new Tally();
    const denied = new ReplyError('NOPERM no');
    tally.settle(pair(), ['OK', 1]);
    tally.settle(pair(), ['OK', denied]);
    tally.settle(pair(), [denied, 1]);
    tally.lose(pair());
    expect(tally.perOperation.get('op')).toEqual({ ok: 1, failed: 2, unknown: 1 });
  });
});

test('a command with a subcommand is called by both', () => {
  expect(commandName(['XGROUP', 'CREATE', 'k', 'g'])).toBe('xgroup create');
  expect(commandName(['SET', 'create', 'v'])).toBe('set');
});
