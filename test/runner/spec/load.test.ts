/** Every kind of bad input: exactly what is said, and where. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadSpec } from '../../../runner/spec/load.ts';
import { formatProblem, formatProblems } from '../../../runner/spec/problem.ts';
import { HEAD, linesOf, printed, problemsOf, withSource } from './problems.ts';

describe('files', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'redis-sync-spec-'));
    await writeFile(join(folder, 'one-way.yaml'), HEAD);
    await writeFile(join(folder, 'latin.yaml'), Buffer.from([0x6e, 0x3a, 0x20, 0xe9]));
    await mkdir(join(folder, 'sub'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  async function shown(name: string): Promise<string> {
    const outcome = await loadSpec(join(folder, name));
    const problems = outcome.kind === 'invalid' ? outcome.problems : [];
    return problems
      .map((problem) => formatProblem(problem).replaceAll(`${folder}/`, '').replaceAll(folder, 'FOLDER'))
      .join('\n');
  }

  test('a valid one', async () => expect((await loadSpec(join(folder, 'one-way.yaml'))).kind).toBe('ok'));
  test('missing', async () =>
    expect(await shown('one-wy.yaml')).toMatchInlineSnapshot(`
    "one-wy.yaml: there is no such file; did you mean one-way.yaml?
      expected: the path of a spec, e.g. specs/one-way.yaml"
  `));
  test('without its ending', async () =>
    expect(await shown('one-way')).toMatchInlineSnapshot(`
    "one-way: there is no such file; did you mean one-way.yaml?
      expected: the path of a spec, e.g. specs/one-way.yaml"
  `));
  test('in a missing folder', async () =>
    expect(await shown('nowhere/one-way.yaml')).toMatchInlineSnapshot(`
    "nowhere/one-way.yaml: there is no such file
      expected: the path of a spec, e.g. specs/one-way.yaml"
  `));
  test('a folder', async () =>
    expect(await shown('')).toMatchInlineSnapshot(`
      "FOLDER: this is a folder
        expected: a file in it: latin.yaml, one-way.yaml"
    `));
  test('an empty folder', async () =>
    expect(await shown('sub')).toMatchInlineSnapshot(`
      "sub: this is a folder
        expected: a spec file; there is no *.yaml in this folder"
    `));
  test('not UTF-8', async () =>
    expect(await shown('latin.yaml')).toMatchInlineSnapshot(`"latin.yaml: the file is not UTF-8 text"`));
});

describe('YAML', () => {
  test('empty', () =>
    expect(printed('')).toMatchInlineSnapshot(`
      "specs/x.yaml:1:1: there is nothing in this file
        expected: name, instances and a topology; see specs/minimal.yaml"
    `));
  test('only comments', () =>
    expect(linesOf('# nothing\n\n')).toMatchInlineSnapshot(`
    [
      "1:1 there is nothing in this file",
    ]
  `));
  test('a text', () =>
    expect(printed('hello\n')).toMatchInlineSnapshot(`
    "specs/x.yaml:1:1: the spec cannot be "hello"
      1 | hello
        | ^^^^^
        = expected: key: value pairs"
  `));
  test('a list', () =>
    expect(printed('- a\n- b\n')).toMatchInlineSnapshot(`
    "specs/x.yaml:1:1: the spec cannot be a list
      1 | - a
        | ^^^
        = expected: key: value pairs"
  `));
  test('tabs', () =>
    expect(printed('name: x\ninstances:\n\tsource: {}\n')).toMatchInlineSnapshot(`
    "specs/x.yaml:3:1: tabs cannot indent YAML
      3 |  source: {}
        | ^
        = expected: spaces"
  `));
  test('wrong indentation', () =>
    expect(printed('instances:\n  source: {}\n target: {}\n')).toMatchInlineSnapshot(`
      "specs/x.yaml:3:1: the indentation does not fit the lines around it
        3 |  target: {}
          | ^
          = expected: keys of one object begin in the same column"
    `));
  test('an open quote', () =>
    expect(printed('name: "x\ninstances: {}\n')).toMatchInlineSnapshot(`
      "specs/x.yaml:1:7: this " is not closed
        1 | name: "x
          |       ^
          = expected: a closing ""
    `));
  test('an open bracket', () =>
    expect(printed('name: x\ndata: [{ keys: 1 }\nseed: 1\n')).toMatchInlineSnapshot(`
      "specs/x.yaml:2:7: this [ is not closed
        2 | data: [{ keys: 1 }
          |       ^
          = expected: a closing ]"
    `));
  test('two keys on a line', () =>
    expect(printed('name: x: y\n')).toMatchInlineSnapshot(`
    "specs/x.yaml:1:7: a second "key: value" in one line, or a deeper indented key under a value
      1 | name: x: y
        |       ^
        = expected: one key per line, { key: value } for a nested object, or quotes around a text with ": " in it"
  `));
  test('an unquoted reference in braces', () =>
    expect(printed(HEAD.replace('source: source', 'source: ${SOURCE}'))).toMatchInlineSnapshot(`
      "specs/x.yaml:5:36: a \${…} inside { } or [ ] needs quotes
        5 | topology: { kind: one-way, source: \${SOURCE}, target: target }
          |                                    ^^^^^^^^^
          = expected: "\${NAME}""
    `));
  test('a second document', () =>
    expect(printed(`${HEAD}---\nname: y\n`)).toMatchInlineSnapshot(`
    "specs/x.yaml:6:1: a second document begins here
      6 | ---
        | ^^^
        = expected: one spec per file, no --- between"
  `));
  test('a tag', () =>
    expect(printed(`${HEAD}seed: !secret 1\n`)).toMatchInlineSnapshot(`
      "specs/x.yaml:6:7: tags (words that begin with !) are not used in a spec
        6 | seed: !secret 1
          |       ^^^^^^^
          = expected: quotes around a text that begins with !"
    `));
  test('an alias without anchor', () =>
    expect(printed(`${HEAD}data: *common\n`)).toMatchInlineSnapshot(`
    "specs/x.yaml:6:7: there is no anchor of this name before it
      6 | data: *common
        |       ^^^^^^^
        = expected: &name in front of what is meant, or quotes around a text that begins with *"
  `));
  test('YAML 1.1', () =>
    expect(printed(`%YAML 1.1\n---\n${HEAD}`)).toMatchInlineSnapshot(`
    "specs/x.yaml:1:1: YAML 1.1 is not read
      1 | %YAML 1.1
        | ^
        = expected: YAML 1.2, no %YAML line"
  `));
  test('a list as key', () =>
    expect(printed(`${HEAD}[a]: b\n`)).toMatchInlineSnapshot(`
    "specs/x.yaml:6:1: a key must be a plain word
      6 | [a]: b
        | ^
        = expected: key: value"
  `));
  test('merge keys are not YAML 1.2', () =>
    expect(linesOf(`${HEAD}engine: { <<: { flush: fail } }\n`)).toMatchInlineSnapshot(`
      [
        "6:11 unknown key "<<" in engine",
      ]
    `));

  test('a duplicate key does not hide the other problems', () =>
    expect(printed(`${HEAD}seed: 1\nseed: 2\nsed: 3\n`)).toMatchInlineSnapshot(`
      "specs/x.yaml:7:1: the key "seed" is there twice
        7 | seed: 2
          | ^
          = expected: each key once
      specs/x.yaml:8:1: unknown key "sed"; did you mean "seed"?
        8 | sed: 3
          | ^^^
          = expected: one of name, description, profile, seed, instances, topology, links, data, workload, incremental, engine, timeline, scenarios, compare, expect, report"
    `));

  test('aliases inside each other are refused, not expanded', () => {
    const bomb = Array.from({ length: 12 }, (_, level) => {
      const inner = level === 0 ? 'x' : `*a${level - 1}`;
      return `a${level}: &a${level} [${Array.from({ length: 10 }, () => inner).join(', ')}]`;
    });
    expect(linesOf(`${bomb.join('\n')}\n`)).toMatchInlineSnapshot(`
      [
        "1:1 more than 100 aliases, or aliases inside each other",
      ]
    `);
  });

  test('anchors and aliases work, and the problem is where the text is', () => {
    const text = `${HEAD}data:\n  - &d { keys: 5, seed: 1 }\n  - *d\n`;
    expect(linesOf(text)).toMatchInlineSnapshot(`
      [
        "7:19 unknown key "seed" in data[0]",
        "7:19 unknown key "seed" in data[1]",
      ]
    `);
  });
});

describe('schema', () => {
  test('nothing but a comment in the root', () =>
    expect(printed('{}\n')).toMatchInlineSnapshot(`
    "specs/x.yaml:1:1: the spec needs "instances"
      1 | {}
        | ^^
        = expected: instances: The databases, by name. The names are used everywhere else in the spec.
    specs/x.yaml:1:1: the spec needs "name"
      1 | {}
        | ^^
        = expected: name: Name of this rehearsal, in reports and run folders."
  `));
  test('unknown keys', () =>
    expect(printed(`${HEAD.replace('target: target', 'tagret: target')}engin: {}\n`)).toMatchInlineSnapshot(`
      "specs/x.yaml:5:44: unknown key "tagret" in topology; did you mean "target"?
        5 | topology: { kind: one-way, source: source, tagret: target }
          |                                            ^^^^^^
          = expected: one of kind, source, target
      specs/x.yaml:6:1: unknown key "engin"; did you mean "engine"?
        6 | engin: {}
          | ^^^^^
          = expected: one of name, description, profile, seed, instances, topology, links, data, workload, incremental, engine, timeline, scenarios, compare, expect, report"
    `));
  test('wrong types', () =>
    expect(
      printed(
        `${HEAD}seed: many\ndata: { keys: 1 }\nengine: []\nreport: { formats: json }\ndescription: 5\n`,
      ),
    ).toMatchInlineSnapshot(`
      "specs/x.yaml:6:7: seed cannot be "many"
        6 | seed: many
          |       ^^^^
          = expected: a whole number
      specs/x.yaml:7:7: data cannot be key: value pairs
        7 | data: { keys: 1 }
          |       ^^^^^^^^^^^
          = expected: a list
      specs/x.yaml:8:9: engine cannot be a list
        8 | engine: []
          |         ^^
          = expected: key: value pairs
      specs/x.yaml:9:20: report.formats cannot be "json"
        9 | report: { formats: json }
          |                    ^^^^
          = expected: a list
      specs/x.yaml:10:14: description cannot be 5
        10 | description: 5
           |              ^
           = expected: text in quotes: "5""
    `));
  test('empty values', () =>
    expect(printed(`${HEAD}engine:\nname2:\n`)).toMatchInlineSnapshot(`
      "specs/x.yaml:6:1: engine is empty
        6 | engine:
          | ^^^^^^
          = expected: key: value pairs, or {}
      specs/x.yaml:7:1: unknown key "name2"; did you mean "name"?
        7 | name2:
          | ^^^^^
          = expected: one of name, description, profile, seed, instances, topology, links, data, workload, incremental, engine, timeline, scenarios, compare, expect, report"
    `));
  test('limits', () =>
    expect(
      linesOf(`${HEAD}seed: -1\ncompare: { rounds: 0 }\ndata: [{ keys: 1.5 }, { database: 20000000000 }]\n`),
    ).toMatchInlineSnapshot(`
      [
        "6:7 seed cannot be -1",
        "7:20 compare.rounds cannot be 0",
        "8:16 data[0].keys cannot be 1.5",
        "8:35 "source" has 16 databases, 0 to 15",
      ]
    `));
  test('wrong words', () =>
    expect(printed(`${HEAD}profile: opn\ncompare: { method: fast }\n`)).toMatchInlineSnapshot(`
      "specs/x.yaml:6:10: profile cannot be "opn"; did you mean "open"?
        6 | profile: opn
          |          ^^^
          = expected: one of open, tair-two-way, codis-to-tair, redis-one-way
      specs/x.yaml:7:20: compare.method cannot be "fast"
        7 | compare: { method: fast }
          |                    ^^^^
          = expected: one of auto, snapshot, commands"
    `));
  test('wrong units', () =>
    expect(
      printed(`${HEAD}incremental: 5\nengine: { memory: 64m, retry: 5 min, idleTimeout: 1ms, disk: 1.5 }\n`),
    ).toMatchInlineSnapshot(`
      "specs/x.yaml:6:14: incremental: "5" has no unit
        6 | incremental: 5
          |              ^
          = expected: 500ms, 5s, 10m, 2h or 1d
      specs/x.yaml:7:19: engine.memory: "m" is not a unit of size
        7 | engine: { memory: 64m, retry: 5 min, idleTimeout: 1ms, disk: 1.5 }
          |                   ^^^
          = expected: 512b, 8kb, 64mb or 2gb
      specs/x.yaml:7:31: engine.retry: "5 min" is not a duration
        7 | engine: { memory: 64m, retry: 5 min, idleTimeout: 1ms, disk: 1.5 }
          |                               ^^^^^
          = expected: 500ms, 5s, 10m, 2h or 1d
      specs/x.yaml:7:51: engine.idleTimeout: 1ms is too small
        7 | engine: { memory: 64m, retry: 5 min, idleTimeout: 1ms, disk: 1.5 }
          |                                                   ^^^
          = expected: at least 1s
      specs/x.yaml:7:62: engine.disk: 1.5 is not a whole number from 0
        7 | engine: { memory: 64m, retry: 5 min, idleTimeout: 1ms, disk: 1.5 }
          |                                                              ^^^
          = expected: a whole number from 0"
    `));
  test('more wrong units', () =>
    expect(printed(`${HEAD}data: [{ ttl: { share: 0.2, between: [10m] } }]\nworkload: [{ rate: 2000 }]\n`))
      .toMatchInlineSnapshot(`
      "specs/x.yaml:6:24: data[0].ttl.share: "0.2" is not a percentage
        6 | data: [{ ttl: { share: 0.2, between: [10m] } }]
          |                        ^^^
          = expected: 20%
      specs/x.yaml:6:38: data[0].ttl.between is too short
        6 | data: [{ ttl: { share: 0.2, between: [10m] } }]
          |                                      ^^^^^
          = expected: Shortest and longest time to live, e.g. [10m, 2h].
      specs/x.yaml:7:20: workload[0].rate: "2000" has no unit
        7 | workload: [{ rate: 2000 }]
          |                    ^^^^
          = expected: 2000/s or 90/min"
    `));
  test('names', () =>
    expect(
      printed(
        'name: one way\ninstances: { "a.b": {}, "": {} }\nlinks: [{ id: "[x]", source: "a.b", target: "" }]\n',
      ),
    ).toMatchInlineSnapshot(`
      "specs/x.yaml:1:7: name cannot be "one way"
        1 | name: one way
          |       ^^^^^^^
          = expected: a name: letters, digits, - and _, beginning with a letter
      specs/x.yaml:2:14: "a.b" cannot be a key of instances
        2 | instances: { "a.b": {}, "": {} }
          |              ^^^^^
          = expected: a name: letters, digits, - and _, beginning with a letter
      specs/x.yaml:2:25: "" cannot be a key of instances
        2 | instances: { "a.b": {}, "": {} }
          |                         ^^
          = expected: a name: letters, digits, - and _, beginning with a letter
      specs/x.yaml:3:15: links[0].id cannot be "[x]"
        3 | links: [{ id: "[x]", source: "a.b", target: "" }]
          |               ^^^^^
          = expected: a name: letters, digits, - and _, beginning with a letter
      specs/x.yaml:3:30: links[0].source cannot be "a.b"
        3 | links: [{ id: "[x]", source: "a.b", target: "" }]
          |                              ^^^^^
          = expected: a name: letters, digits, - and _, beginning with a letter
      specs/x.yaml:3:45: links[0].target cannot be ""
        3 | links: [{ id: "[x]", source: "a.b", target: "" }]
          |                                             ^^
          = expected: a name: letters, digits, - and _, beginning with a letter"
    `));
  test('what is not built yet says so', () =>
    expect(
      linesOf(
        `name: x\ninstances:\n  a: { kind: cluster }\n  b: {}\ntopology: { kind: cascade, chain: [a, b] }\nprecheck: {}\n`,
      ),
    ).toMatchInlineSnapshot(`
      [
        "5:35 topology.chain is too short",
        "6:1 "precheck" is not supported yet",
      ]
    `));
  test('scenarios and links that nobody knows', () =>
    expect(
      linesOf(
        `${HEAD}scenarios: [flush-sorce, oom-target@mian, all, failover-source, [publish], "No Name"]\n`,
      ),
    ).toMatchInlineSnapshot(`
      [
        "6:13 there is no scenario "flush-sorce"; did you mean "flush-source"?",
        "6:26 there is no link "mian"",
        "6:65 scenarios[4] cannot be a list",
        "6:76 scenarios[5] cannot be "No Name"",
      ]
    `));
  test('an unknown topology', () =>
    expect(printed(HEAD.replace('one-way', 'oneway'))).toMatchInlineSnapshot(`
      "specs/x.yaml:5:19: topology.kind cannot be "oneway"; did you mean "one-way"?
        5 | topology: { kind: oneway, source: source, target: target }
          |                   ^^^^^^
          = expected: one of one-way, one-to-many, cascade, many-to-one, two-way, ring, codis"
    `));
  test('a topology without its kind', () =>
    expect(printed(HEAD.replace('kind: one-way, ', ''))).toMatchInlineSnapshot(`
      "specs/x.yaml:5:11: topology needs "kind"
        5 | topology: { source: source, target: target }
          |           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
          = expected: kind: one-way or one-to-many or cascade or many-to-one or two-way or ring or codis"
    `));
  test('heartbeat: a word or an object, and only that branch complains', () => {
    expect(printed(`${HEAD}engine: { heartbeat: on }\n`)).toMatchInlineSnapshot(`
      "specs/x.yaml:6:22: engine.heartbeat cannot be "on"
        6 | engine: { heartbeat: on }
          |                      ^^
          = expected: off, or { interval: 1s, prefix: TEXT }"
    `);
    expect(linesOf(`${HEAD}engine: { heartbeat: { intervall: 1s } }\n`)).toMatchInlineSnapshot(`
      [
        "6:24 unknown key "intervall" in engine.heartbeat; did you mean "interval"?",
      ]
    `);
    expect(linesOf(`${HEAD}engine: { heartbeat: 5 }\n`)).toMatchInlineSnapshot(`
      [
        "6:22 engine.heartbeat cannot be 5",
      ]
    `);
  });
  test('expectations: the branch is chosen first', () =>
    expect(
      printed(`${HEAD}expect:
  - { chek: counts }
  - { check: cuonts }
  - { check: counts, tolerance: { ttl: 1s } }
  - { finding: FULL_RESYNC }
  - { finding: FULL_RESYNK, count: 0 }
  - { metric: lag_ms }
  - { metric: lag, p95: 1500 }
  - { check: counts, finding: OOM, count: 0 }
  - data-equal
`),
    ).toMatchInlineSnapshot(`
      "specs/x.yaml:7:5: expect[0] does not say what it is about; did you mean "check"?
        7 |   - { chek: counts }
          |     ^^^^^^^^^^^^^^^^
          = expected: exactly one of check, finding, metric
      specs/x.yaml:8:14: expect[1].check cannot be "cuonts"; did you mean "counts"?
        8 |   - { check: cuonts }
          |              ^^^^^^
          = expected: one of data-equal, counts, ledger
      specs/x.yaml:9:22: unknown key "tolerance" in expect[2]
        9 |   - { check: counts, tolerance: { ttl: 1s } }
          |                      ^^^^^^^^^
          = expected: check
      specs/x.yaml:10:5: expect[3] needs "count"
        10 |   - { finding: FULL_RESYNC }
           |     ^^^^^^^^^^^^^^^^^^^^^^^^
           = expected: count: How often: 0, "<= 1", ">= 3".
      specs/x.yaml:11:16: there is no finding "FULL_RESYNK"; did you mean "FULL_RESYNC"?
        11 |   - { finding: FULL_RESYNK, count: 0 }
           |                ^^^^^^^^^^^
           = expected: one of COUNT_MISMATCH, EXPIRED_GAP, MISSING_KEY, EXTRA_KEY, TYPE_MISMATCH, VALUE_MISMATCH, TTL_MISMATCH, LIST_DUPLICATED, KEY_OVERLAP, KEY_NOT_OWNED, CONFLICT, LOOP_ECHO, HEARTBEAT_LEAK, HEARTBEAT_LEFTOVER, FLUSH, EVICTION, OOM, CROSSSLOT, UNSUPPORTED_COMMAND, SCRIPT_UNVERIFIED, FULL_RESYNC, ENDPOINT_CHANGED, TOPOLOGY_CHANGED, CONFIG_DRIFT, FOREIGN_WRITE, NOT_DURABLE, LAG, LATENCY_UNRELIABLE, OUT_OF_SCOPE, DECLARED_ONLY, APPLY_ERROR, EXPIRY_LATE, EXPIRY_AT_RISK, CLOCK_SKEW, IMPORT_MODE, EXISTING_KEYS, SOURCE_REGRESSED, SPEC_CHANGED, HEAL_FAILED, SNAPSHOT_DISCARDED
      specs/x.yaml:12:5: expect[5] says too little
        12 |   - { metric: lag_ms }
           |     ^^^^^^^^^^^^^^^^^^
           = expected: a limit: p50, p95, p99, max, e.g. p95: "< 1500"
      specs/x.yaml:13:15: expect[6].metric cannot be "lag"
        13 |   - { metric: lag, p95: 1500 }
           |               ^^^
           = expected: one of lag_ms, lag_bytes, full_sync_ms, peak_rss_bytes
      specs/x.yaml:13:25: expect[6].p95: "1500" is not a limit
        13 |   - { metric: lag, p95: 1500 }
           |                         ^^^^
           = expected: "< 1500" or ">= 100"
      specs/x.yaml:14:5: expect[7] has "check" and "finding", which exclude each other
        14 |   - { check: counts, finding: OOM, count: 0 }
           |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
           = expected: exactly one of check, finding, metric
      specs/x.yaml:15:5: expect[8] cannot be "data-equal"
        15 |   - data-equal
           |     ^^^^^^^^^^
           = expected: key: value pairs"
    `));
});

describe('environment', () => {
  test('unset, with and without a message', () =>
    expect(printed(`${HEAD}description: "\${WHAT}"\nseed: \${SEED:?choose a seed}\n`, { env: {} }))
      .toMatchInlineSnapshot(`
        "specs/x.yaml:6:14: the environment variable WHAT is not set
          6 | description: "\${WHAT}"
            |              ^^^^^^^^^
            = expected: WHAT in the environment, or a default: \${WHAT:-…}
        specs/x.yaml:7:7: the environment variable SEED is not set: choose a seed
          7 | seed: \${SEED:?choose a seed}
            |       ^^^^^^^^^^^^^^^^^^^^^^
            = expected: SEED in the environment, or a default: \${SEED:-…}"
      `));
  test('what depends on it is not complained about twice', () =>
    expect(linesOf(HEAD.replace('source: source', 'source: "${SOURCE}"'))).toMatchInlineSnapshot(`
      [
        "5:36 the environment variable SOURCE is not set",
      ]
    `));
  test('numbers and booleans from it are what they look like, where they are wanted', () => {
    const text = `${HEAD}seed: \${SEED}\ndata: [{ keys: "\${KEYS:-12}", corners: "\${CORNERS}" }]\ndescription: \${SEED}\n`;
    expect(problemsOf(text, { env: { SEED: '7', CORNERS: 'true' } })).toEqual([]);
    expect(linesOf(text, { env: { SEED: 'x', CORNERS: 'maybe' } })).toMatchInlineSnapshot(`
      [
        "6:7 seed cannot be "x"",
        "7:40 data[0].corners cannot be "maybe"",
      ]
    `);
  });
  test('a value of it is checked like any other', () =>
    expect(printed(HEAD.replace('source: source', 'source: "${S}"'), { env: { S: 'sourze' } }))
      .toMatchInlineSnapshot(`
      "specs/x.yaml:5:36: there is no instance "sourze"; did you mean "source"?
        5 | topology: { kind: one-way, source: "\${S}", target: target }
          |                                    ^^^^^^
          = expected: one of source, target"
    `));
});

describe('secrets', () => {
  test('a literal password', () =>
    expect(printed(withSource('{ url: "redis://h", password: hunter2, disposable: true }')))
      .toMatchInlineSnapshot(`
      "specs/x.yaml:3:41: instances.source.password: a password must not be written into the spec, which is kept in git
        3 |   source: { url: "redis://h", password: ***, disposable: true }
          |                                         ^
          = expected: password: \${NAME}, or passwordFile: FILE"
    `));
  test('a default is a literal', () =>
    expect(linesOf(withSource('{ url: "redis://h", password: "${P:-hunter2}", disposable: true }')))
      .toMatchInlineSnapshot(`
      [
        "3:41 instances.source.password: a default would put a password into the spec, and specs are kept in git",
      ]
    `));
  test('unset', () =>
    expect(printed(withSource('{ url: "redis://h", password: "${P:?ask ops}", disposable: true }')))
      .toMatchInlineSnapshot(`
      "specs/x.yaml:3:41: the environment variable P is not set: ask ops
        3 |   source: { url: "redis://h", password: "\${P:?ask ops}", disposable: true }
          |                                         ^^^^^^^^^^^^^^^
          = expected: P in the environment of this command"
    `));
  test('in the url', () =>
    expect(printed(withSource('{ url: "redis://u:hunter2@h", disposable: true }'))).toMatchInlineSnapshot(`
      "specs/x.yaml:3:18: instances.source.url: there is a password in it
        3 |   source: { url: "redis://u:***@h", disposable: true }
          |                  ^
          = expected: the url without it, and password: \${NAME} or passwordFile: FILE"
    `));
  test('in a url from the environment', () =>
    expect(
      printed(withSource('{ url: "${URL}", disposable: true }'), { env: { URL: 'redis://u:hunter2@h' } }),
    ).toMatchInlineSnapshot(`
      "specs/x.yaml:3:18: instances.source.url: there is a password in it
        3 |   source: { url: "\${URL}", disposable: true }
          |                  ^^^^^^^^
          = expected: the url without it, and password: \${NAME} or passwordFile: FILE"
    `));
  test('a real secret in the configuration would be stored with the run', () =>
    expect(printed(withSource('{ config: { requirepass: "${P}" } }'), { env: { P: 'hunter2' } }))
      .toMatchInlineSnapshot(`
        "specs/x.yaml:3:36: a secret from the environment would be stored with the run
          3 |   source: { config: { requirepass: "\${P}" } }
            |                                    ^^^^^^
            = expected: a text of its own: a throw-away server needs no real secret"
      `));

  test.each([
    '{ password: hunter2, url: 5 }',
    '{ pasword: hunter2 }',
    '{ url: "redis://h", password: 1234567890123 }',
    '{ url: "redis://h", password: [hunter2] }',
    '{ url: "redis://h", password: { a: hunter2 } }',
    '\n    url: redis://h\n    password: |\n      hunter2\n',
    '\n    url: redis://h\n    password:\n      hunter2\n',
    '\n    password: *hunter2\n',
    '\n    password: !hunter2\n',
    '\n    password: @hunter2\n',
    '\n    password: "hunter2\n',
    '\n    password: hun: ter2\n',
    '\n    password: hunter2\n  target2: {{}\n',
    '\n    url: redis://u:hunter2@h/3\n    kind: x\n',
  ])('never printed: %j', (text) => {
    const problems = problemsOf(withSource(text));
    expect(problems.length).toBeGreaterThan(0);
    expect(JSON.stringify(problems)).not.toMatch(/unter2|ter2|1234567890123/);
  });
});

test('all problems in one pass, in the order of the file', () => {
  const text = `nam: x
instances:
  source: { replicas: two }
  target: {}
topology: { kind: one-way, source: sorce, target: target }
data:
  - { into: target, keys: -1 }
  - { into: source, ttl: { between: [2h, 10m] } }
`;
  expect(formatProblems(problemsOf(text))).toMatchInlineSnapshot(`
    "specs/x.yaml:1:1: unknown key "nam"; did you mean "name"?
      1 | nam: x
        | ^^^
        = expected: one of name, description, profile, seed, instances, topology, links, data, workload, incremental, engine, timeline, scenarios, compare, expect, report

    specs/x.yaml:3:23: instances.source.replicas cannot be "two"
      3 |   source: { replicas: two }
        |                       ^^^
        = expected: a whole number

    specs/x.yaml:5:36: there is no instance "sorce"; did you mean "source"?
      5 | topology: { kind: one-way, source: sorce, target: target }
        |                                    ^^^^^
        = expected: one of source, target

    specs/x.yaml:7:27: data[0].keys cannot be -1
      7 |   - { into: target, keys: -1 }
        |                           ^^
        = expected: at least 0

    specs/x.yaml:8:37: the shortest time to live is longer than the longest
      8 |   - { into: source, ttl: { between: [2h, 10m] } }
        |                                     ^^^^^^^^^
        = expected: [10m, 2h]

    5 problems
    "
  `);
});
