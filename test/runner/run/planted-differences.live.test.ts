/**
 * Known-bad targets: each test plants one difference on the target after everything has arrived, and the rehearsal must
 * fail, naming the key, both values and the class.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { Difference } from '../../../reports/results.ts';
import { signalProcess } from '../../../runner/provision/process-identity.mjs';
import { Workspace } from './workspace.ts';

interface Planted {
  name: string;
  /** Written to the source while the link streams, so that it arrives on the target. */
  source: string[];
  /** Then done to the target alone. */
  target: string[];
  difference: Partial<Difference> | object;
}

const key = (type: string, text: string): object => expect.objectContaining({ type, text });
const line = (text: string): unknown => expect.stringContaining(text);

const MISSING_AND_EXTRA: Planted[] = [
  {
    name: 'MISSING_KEY',
    source: ['SET it here'],
    target: ['DEL it'],
    difference: { class: 'MISSING_KEY', source: key('string', '"here"'), target: null },
  },
  {
    name: 'EXTRA_KEY',
    source: ['SET other here'],
    target: ['SADD it "not from the source"'],
    difference: { class: 'EXTRA_KEY', source: null, target: key('set', '1) "not from the source"') },
  },
  {
    name: 'TYPE_MISMATCH',
    source: ['RPUSH it a b'],
    target: ['DEL it', 'SET it text'],
    difference: {
      class: 'TYPE_MISMATCH',
      source: key('list', '1) "a"\n2) "b"'),
      target: key('string', '"text"'),
    },
  },
];

const VALUES: Planted[] = [
  {
    name: 'string',
    source: ['SET it abc'],
    target: ['SETRANGE it 1 X'],
    difference: { source: key('string', '"abc"'), target: key('string', '"aXc"'), detail: line('"aXc"') },
  },
  {
    name: 'hash',
    source: ['HSET it f 1 g 2'],
    target: ['HSET it f 9'],
    difference: {
      source: key('hash', '1) "f" "1"\n2) "g" "2"'),
      target: key('hash', '1) "f" "9"\n2) "g" "2"'),
      detail: line('field "f"'),
    },
  },
  {
    name: 'list',
    source: ['RPUSH it a b c'],
    target: ['LSET it 1 x'],
    difference: {
      source: key('list', '1) "a"\n2) "b"\n3) "c"'),
      target: key('list', '1) "a"\n2) "x"\n3) "c"'),
      detail: line('element 2'),
    },
  },
  {
    name: 'set',
    source: ['SADD it a b'],
    target: ['SREM it b', 'SADD it B'],
    difference: {
      source: expect.objectContaining({ type: 'set', text: line('"b"') }),
      target: expect.objectContaining({ type: 'set', text: line('"B"') }),
      detail: line('member "b"'),
    },
  },
  {
    name: 'zset, one bit of a score',
    source: ['ZADD it 0.1 a 2 b'],
    target: ['ZADD it 0.10000000000000002 a'],
    difference: {
      source: expect.objectContaining({ type: 'zset', text: line('0.1') }),
      target: expect.objectContaining({ type: 'zset', text: line('0.10000000000000002') }),
    },
  },
  {
    name: 'stream, an entry',
    source: ['XADD it 1-1 f v'],
    target: ['XADD it 2-1 f w'],
    difference: {
      source: expect.objectContaining({ type: 'stream', text: line('1-1') }),
      target: expect.objectContaining({ type: 'stream', text: line('2-1') }),
    },
  },
  {
    name: 'stream, a pending entry acknowledged on the target alone',
    source: ['XADD it 1-1 f v', 'XGROUP CREATE it g 0', 'XREADGROUP GROUP g c STREAMS it >'],
    target: ['XACK it g 1-1'],
    difference: { source: expect.anything(), target: expect.anything(), detail: line('"g"') },
  },
  {
    name: 'hyperloglog',
    source: ['PFADD it a b c'],
    target: ['PFADD it d'],
    difference: {
      source: expect.objectContaining({ type: 'string', text: line('HYLL') }),
      target: expect.objectContaining({ type: 'string', text: line('HYLL') }),
    },
  },
];

const EXPIRIES: Planted[] = [
  {
    name: 'no expiry on the target',
    source: ['SET it v PX 3600000'],
    target: ['PERSIST it'],
    difference: {
      source: expect.objectContaining({ expireAtMs: expect.any(Number) }),
      target: expect.objectContaining({ expireAtMs: null }),
    },
  },
  {
    name: 'an expiry on the target alone',
    source: ['SET it v'],
    target: ['PEXPIREAT it 4102444800000'],
    difference: {
      source: expect.objectContaining({ expireAtMs: null }),
      target: expect.objectContaining({ expireAtMs: 4_102_444_800_000 }),
    },
  },
  {
    name: 'another expiry, more than the tolerance apart',
    source: ['SET it v PXAT 4102444800000'],
    target: ['PEXPIREAT it 4102444802000'],
    difference: {
      source: expect.objectContaining({ expireAtMs: 4_102_444_800_000 }),
      target: expect.objectContaining({ expireAtMs: 4_102_444_802_000 }),
    },
  },
];

describe('one planted difference', () => {
  test.each(MISSING_AND_EXTRA)('$name', prove);
});
describe('VALUE_MISMATCH', () => {
  test.each(VALUES.map((planted) => withClass(planted, 'VALUE_MISMATCH')))('$name', prove);
});
describe('TTL_MISMATCH', () => {
  test.each(EXPIRIES.map((planted) => withClass(planted, 'TTL_MISMATCH')))('$name', prove);
});

test('the same rehearsal passes when nothing is planted', async () => {
  await using workspace = await Workspace.open();
  const { exitCode, results } = await workspace.verify(planting(['SET it here', 'SET at 1'], ['GET it']));
  expect(results.comparison?.differences).toEqual([]);
  expect(exitCode).toBe(0);
});

test('an expiry inside the tolerance is no difference', async () => {
  await using workspace = await Workspace.open();
  const spec = planting(['SET it v PXAT 4102444800000'], ['PEXPIREAT it 4102444800900']);
  const { exitCode } = await workspace.verify(spec);
  expect(exitCode).toBe(0);
});

test('in another database, under a key no terminal can show', async () => {
  await using workspace = await Workspace.open();
  const it = String.raw`"\x00\xff it's\n"`;
  const spec = planting([`SET ${it} here`], [`SET ${it} there`], 12);
  const { exitCode, results, out } = await workspace.verify(spec);
  expect(exitCode).toBe(1);
  expect(results.comparison?.differences).toEqual([
    expect.objectContaining({
      class: 'VALUE_MISMATCH',
      database: 12,
      key: String.raw`"\x00\xff it's\n"`,
      keyBase64: Buffer.from("\0\u00ff it's\n", 'latin1').toString('base64'),
    }),
  ]);
  expect(out).toContain(String.raw`VALUE_MISMATCH  "\x00\xff it's\n"`);
});

test('with --keep the printed redis-cli lines show both values', async () => {
  await using workspace = await Workspace.open();
  const it = String.raw`"my key $HOME \x00"`;
  const spec = planting([`SET ${it} here`, 'HSET h f 1'], [`SET ${it} there`, 'HSET h f 2'], 3);
  const { exitCode, out, err } = await workspace.verify(spec, '--keep');
  try {
    expect(exitCode).toBe(1);
    const lines = out.split('\n').flatMap((text) => /^ *\$ (.*)$/.exec(text)?.[1] ?? []);
    const answers = await Promise.all(lines.map(runInShell));
    expect(answers.toSorted()).toEqual(['"here"', '"there"', '1) "f"\n2) "1"', '1) "f"\n2) "2"']);
    const pids = /End them with: kill ([\d ]+)/.exec(err)?.[1]?.split(' ').map(Number);
    expect(pids).toEqual(workspace.processes().map(({ pid }) => pid));
  } finally {
    for (const record of workspace.processes()) signalProcess(record, 'SIGKILL');
    await workspace.gone();
  }
});

async function prove({ source, target, difference }: Planted): Promise<void> {
  await using workspace = await Workspace.open();
  const { exitCode, results, out } = await workspace.verify(planting(source, target));
  expect(results).toMatchObject({ verdict: 'fail', exitCode: 1, error: null });
  expect(exitCode).toBe(1);
  expect(results.comparison?.differences).toEqual([
    expect.objectContaining({ database: 0, key: '"it"', ...difference }),
  ]);
  const [found] = results.comparison?.differences ?? [];
  expect(out).toMatch(new RegExp(`${found?.class} +"it"`));
  for (const side of [found?.source, found?.target])
    for (const printed of side?.text.split('\n') ?? ['(no such key)']) expect(out).toContain(printed);
  expect(results.comparison?.totals[found?.class ?? 'EXTRA_KEY']).toBe(1);
}

function withClass(planted: Planted, name: string): Planted {
  return { ...planted, difference: { class: name, ...planted.difference } };
}

/** A rehearsal of a handful of keys: `source` is replicated, then `target` is done to the target alone. */
function planting(source: string[], target: string[], database = 0): Record<string, unknown> {
  return {
    name: 'planted',
    seed: 3,
    instances: { source: {}, target: {} },
    topology: { kind: 'one-way', source: 'source', target: 'target' },
    data: [{ database, keys: 20 }],
    workload: [],
    // What is planted is for the comparison to find, not for whoever watches the target.
    engine: { heartbeat: 'off', foreignWrites: 'ignore' },
    compare: { rounds: 1 },
    timeline: [
      {
        id: 'write',
        fault: 'script',
        when: 'incremental',
        where: 'source',
        with: { database, commands: source },
      },
      {
        id: 'plant',
        fault: 'script',
        when: { phase: 'settle' },
        where: 'target',
        with: { database, commands: target },
      },
    ],
    report: { formats: ['json'] },
  };
}

async function runInShell(command: string): Promise<string> {
  const { stdout } = await promisify(execFile)('bash', ['-c', command]);
  return stdout.trimEnd();
}
