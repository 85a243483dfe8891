/** Every operation keeps the contract of operation.ts, as far as it shows without a server. */
import { describe, expect, test } from 'vitest';
import { encodeCommands } from '../../../engine/resp/encode.ts';
import { FAMILIES } from '../../../scenarios/workload/families.ts';
import { operationName, type Family, type Operation } from '../../../scenarios/workload/operation.ts';
import { OperationChooser } from '../../../scenarios/workload/operation-chooser.ts';
import { OperationScript } from '../../../scenarios/workload/operation-script.ts';
import { commandName } from '../../../scenarios/workload/tally.ts';

const NOW = 1_718_064_000_000;
const HOUR_SECONDS = 3600;

function script(client = 0, seed = 1, keyspace = 100): OperationScript {
  return new OperationScript({
    seed,
    workload: 'w',
    prefix: 'p:',
    keyspace,
    client,
    clients: 4,
    databases: [0, 3, 12],
    now: () => NOW,
    startedMs: NOW,
    payloads: { string: Buffer.from('s'), hash: Buffer.from('h') },
  });
}

const ALL = FAMILIES.flatMap((family) =>
  family.operations.map((operation) => ({
    family,
    operation,
    name: `${family.name}: ${operationName(operation)}`,
  })),
);

/** Words of all commands of many rounds of one operation. */
function sample(operation: Operation, context = script()): string[][] {
  for (let round = 0; round < 200; round++) operation.build(context);
  return context
    .take()
    .map((words) => words.map((word) => (Buffer.isBuffer(word) ? word.toString('latin1') : String(word))));
}

/** Milliseconds until expiry that a command sets, if it does. */
function ttlsMs(words: string[]): number[] {
  const [name = ''] = words;
  const number = (index: number): number => Number(words[index]);
  const option = (word: string): number =>
    words.slice(3).includes(word) ? number(words.lastIndexOf(word) + 1) : Number.NaN;
  const all: Record<string, number> = {
    SETEX: number(2) * 1000,
    PSETEX: number(2),
    EXPIRE: number(2) * 1000,
    PEXPIRE: number(2),
    EXPIREAT: number(2) * 1000 - NOW,
    PEXPIREAT: number(2) - NOW,
  };
  const bySet = [option('EX') * 1000, option('PX'), option('EXAT') * 1000 - NOW, option('PXAT') - NOW];
  const getex = [words[2] === 'EX' ? number(3) * 1000 : Number.NaN];
  return [
    all[name] ?? Number.NaN,
    ...(name === 'SET' ? bySet : []),
    ...(name === 'GETEX' ? getex : []),
  ].filter((ms) => !Number.isNaN(ms));
}

const isShort = (ms: number): boolean => ms >= 50 && ms <= 500;
const isLongOrPast = (ms: number): boolean => ms < 0 || ms >= HOUR_SECONDS * 1000;

describe.each(ALL)('$name', ({ family, operation }: { family: Family; operation: Operation }) => {
  test('issues its own command and only those it declares', () => {
    const issued = new Set(
      sample(operation).map((words) => commandName([words[0]?.toLowerCase() ?? '']).split(' ')[0]),
    );
    expect(issued).toContain(operation.command);
    expect([operation.command, ...(operation.uses ?? [])]).toEqual(expect.arrayContaining([...issued]));
  });

  test('sets no TTL that its family does not allow', () => {
    const allowed = family.expiring ? isShort : isLongOrPast;
    expect(
      sample(operation)
        .flatMap(ttlsMs)
        .filter((ms) => !allowed(ms)),
    ).toEqual([]);
  });

  test('touches only keys of its own client', () => {
    const ownKey = /^p:[a-z-]+:(?:\{t\}\r\n\0é")?(\d+)$/;
    const numbers = sample(operation, script(2)).flatMap((words) =>
      words.slice(1).flatMap((word) => ownKey.exec(word)?.[1] ?? []),
    );
    expect(numbers.filter((number) => Number(number) % 4 !== 2)).toEqual([]);
  });
});

function sequence(context: OperationScript): Buffer {
  const chooser = new OperationChooser(
    ALL.map((each) => ({ ...each, weight: 1 })),
    context.client,
    4,
  );
  for (let round = 0; round < 500; round++) chooser.next(context.random).build(context);
  return encodeCommands(context.take());
}

describe('OperationScript', () => {
  test('the same seed gives the same commands; another seed or client others', () => {
    expect(sequence(script(0, 9))).toEqual(sequence(script(0, 9)));
    expect(sequence(script(0, 8))).not.toEqual(sequence(script(0, 9)));
    expect(sequence(script(1, 9))).not.toEqual(sequence(script(0, 9)));
  });

  test('keys reach the whole share and not beyond the keyspace', () => {
    const context = script(3);
    const keys = new Set(Array.from({ length: 2000 }, () => context.key('hash')));
    expect(keys.size).toBe(25);
  });

  test('a keyspace smaller than the number of clients still gives every client a key of its own', () => {
    expect(new Set([0, 1, 2, 3].map((client) => script(client, 1, 2).key('hash'))).size).toBe(4);
  });

  test('facts are per key and database, and go with the key, or all at once', () => {
    const context = script();
    context.remember('a', 'group');
    context.remember('b', 'group');
    const known = (): boolean[] => [context.knows('a', 'group'), context.knows('b', 'group')];
    expect(known()).toEqual([true, true]);
    context.switchDatabase(12);
    expect(known()).toEqual([false, false]);
    context.switchDatabase(0);
    context.forgetKey('a');
    expect(known()).toEqual([false, true]);
    context.forgetAll();
    expect(known()).toEqual([false, false]);
  });
});

describe('OperationChooser', () => {
  test('the clients send every operation once before they go by weight', () => {
    const weighted = ALL.map((each) => ({ ...each, weight: each.operation.command === 'set' ? 1 : 0 }));
    const first = [0, 1, 2].flatMap((client) => {
      const chooser = new OperationChooser(weighted, client, 3);
      const context = script();
      const share = weighted.filter((_, index) => index % 3 === client).length;
      const own = Array.from({ length: share }, () => chooser.next(context.random));
      expect(chooser.next(context.random).command).toBe('set');
      return own;
    });
    expect(new Set(first)).toEqual(new Set(ALL.map(({ operation }) => operation)));
  });

  test('what has not succeeded comes again, however small its weight', () => {
    const weighted = ALL.map((each) => ({ ...each, weight: each.operation.command === 'set' ? 1 : 0 }));
    const missing = weighted.filter(({ operation }) => operation.command === 'hset');
    const left = new Set(missing.map(({ operation }) => operation));
    const chooser = new OperationChooser(weighted, 0, 1, (operation) => !left.has(operation));
    const context = script();
    for (let index = 0; index < weighted.length; index++) chooser.next(context.random);
    const next = Array.from({ length: 16 * left.size }, () => chooser.next(context.random));
    expect(next.filter((operation) => left.has(operation))).toEqual(expect.arrayContaining([...left]));
    expect(left.size).toBeGreaterThan(0);
  });
});
