/** `engine.driver`: what each takes, what it refuses, and that a plan of each is a spec of the same plan. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { describePlan } from '../../../runner/plan/describe.ts';
import { fillIn, quoteForShell } from '../../../runner/plan/placeholders.ts';
import { HEAD, linesOf, planOf, printed } from './problems.ts';

const engine = (text: string): string => `${HEAD}engine: ${text}\n`;

describe('options', () => {
  test('of another driver, with its line', () =>
    expect(printed(engine('{ driver: replica, memory: 64mb }'))).toMatchInlineSnapshot(`
      "specs/x.yaml:6:28: "memory" is an option of driver: redis-sync, and the driver here is replica
        6 | engine: { driver: replica, memory: 64mb }
          |                            ^^^^^^
          = expected: no memory"
    `));
  test.each([
    ['{ watch: { quiet: 1s } }', '6:11 "watch"', 'external or command', 'redis-sync'],
    ['{ driver: external, command: { run: x } }', '6:29 "command"', 'command', 'external'],
    ['{ driver: command, flush: fail, command: { run: x } }', '6:28 "flush"', 'redis-sync', 'command'],
    ['{ driver: external, heartbeat: off }', '6:29 "heartbeat"', 'redis-sync', 'external'],
  ])('%s', (text, where, owner, driver) =>
    expect(linesOf(engine(text))).toEqual([
      `${where} is an option of driver: ${owner}, and the driver here is ${driver}`,
    ]),
  );
});

describe('a command', () => {
  test('that is not there', () =>
    expect(linesOf(engine('{ driver: command }'))).toMatchInlineSnapshot(`
    [
      "6:19 driver: command does not say which command",
    ]
  `));
  test('with an unknown placeholder', () =>
    expect(printed(engine('{ driver: command, command: { run: "tool {source.prot} {mode}" } }')))
      .toMatchInlineSnapshot(`
        "specs/x.yaml:6:44: there is no placeholder {source.prot}; did you mean "source.port"?
          6 | engine: { driver: command, command: { run: "tool {source.prot} {mode}" } }
            |                                            ^^^^^^^^^^^^^^^^^^^^^^^^^^^
            = expected: one of source.host, source.port, source.url, source.username, source.password, source.ca, target.host, target.port, target.url, target.username, target.password, target.ca, link, folder, config"
      `));
  test('with {config} and no template', () =>
    expect(linesOf(engine('{ driver: command, command: { run: "tool {config}" } }'))).toMatchInlineSnapshot(`
      [
        "6:44 there is no template that {config} could be made of",
      ]
    `));
  test('with a pattern that is none', () =>
    expect(linesOf(engine('{ driver: command, command: { run: x, caughtUp: "(" } }'))).toMatchInlineSnapshot(`
      [
        "6:57 this is no regular expression: Invalid regular expression: /(/: Unterminated group",
      ]
    `));
  test('with a template that is missing, and one with a mistake in it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'redis-sync-template-'));
    try {
      const file = join(folder, 'tool.conf');
      const spec = engine(`{ driver: command, command: { run: "x {config}", template: ${file} } }`);
      expect(linesOf(spec)).toEqual([expect.stringContaining('there is no file')]);
      await writeFile(file, 'to = {target.adress}');
      expect(linesOf(spec)).toEqual([expect.stringContaining('there is no placeholder {target.adress}')]);
      await writeFile(file, 'to = {target.host}');
      expect(linesOf(spec)).toEqual([]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe('flows that a driver cannot serve', () => {
  test('two sources of one replica', () =>
    expect(
      linesOf(
        'name: x\ninstances: { a: {}, b: {}, t: {} }\ntopology: { kind: many-to-one, sources: [a, b], target: t }\nengine: { driver: replica }\n',
      ),
    ).toMatchInlineSnapshot(`
      [
        "3:57 "t" has another source already, and with driver: replica it can have only one",
      ]
    `));
  test('two-way', () =>
    expect(
      linesOf(
        'name: x\ninstances: { a: {}, b: {} }\ntopology: { kind: two-way, source: a, target: b }\nengine: { driver: command, command: { run: x } }\n',
      ),
    ).toMatchInlineSnapshot(`
      [
        "3:11 the link "reverse" only follows, and driver: command knows no such links",
      ]
    `));
  test.each([
    ['replica', 'link:source-to-target.target', 1],
    ['replica', 'link:source-to-target.source', 0],
    ['external', 'link:source-to-target.source', 1],
  ])('a fault on the way, with %s: %s', (driver, where, problems) => {
    const step = `timeline: [{ at: 1s, fault: latency, where: "${where}", with: { latency: 1ms } }]\n`;
    expect(linesOf(engine(`{ driver: ${driver} }`) + step)).toHaveLength(problems);
  });
  test('a cluster', () =>
    expect(linesOf(engine('{ driver: replica }').replace('target: {}', 'target: { kind: cluster }')))
      .toMatchInlineSnapshot(`
      [
        "4:19 driver: replica sees single servers, and "target" is a cluster",
      ]
    `));
});

test.each([
  '{ driver: replica }',
  '{ driver: external, watch: { quiet: 500ms } }',
  '{ driver: command, command: { run: "tool {source.url}", caughtUp: done } }',
])('a plan of %s is a spec of the same plan, without a heartbeat', (text) => {
  const plan = planOf(engine(text));
  expect(plan.engine.heartbeatMs).toBe(0);
  expect(planOf(describePlan(plan)).driver).toEqual(plan.driver);
});

test('values are quoted for the shell, and braces that are not ours stay', () => {
  const values = new Map([
    ['source.password', "a'b $c"],
    ['link', 'x'],
  ]);
  expect(fillIn('t {source.password} {link} {json} {', values, quoteForShell)).toBe(
    `t 'a'\\''b $c' x {json} {`,
  );
});
