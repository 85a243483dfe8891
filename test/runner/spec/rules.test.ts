/** What the schema cannot say: flows, instances, data, workload, steps. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadSpec } from '../../../runner/spec/load.ts';
import { HEAD, linesOf, planOf, printed, withSource } from './problems.ts';

/** A spec of instances a–d and these links, one per line from line 8. */
function withLinks(...links: string[]): string {
  const lines = links.map((link) => `  - ${link}`).join('\n');
  return `name: x\ninstances:\n  a: {}\n  b: {}\n  c: {}\n  d: {}\nlinks:\n${lines}\n`;
}

const link = (source: string, target: string): string => `{ source: ${source}, target: ${target} }`;

/** Steps, one per line from line 7. */
function steps(...lines: string[]): string {
  return `${HEAD}timeline:\n${lines.map((line) => `  - ${line}\n`).join('')}`;
}

describe('links', () => {
  test('none', () =>
    expect(printed('name: x\ninstances: { a: {} }\n')).toMatchInlineSnapshot(`
    "specs/x.yaml:1:1: the spec does not say how data flows
      1 | name: x
        | ^^^^
        = expected: topology: { kind: one-way, source: NAME, target: NAME }"
  `));
  test('topology and links', () =>
    expect(linesOf(`${HEAD}links: [${link('source', 'target')}]\n`)).toMatchInlineSnapshot(`
      [
        "6:1 topology and links exclude each other",
      ]
    `));
  test('unknown instances', () =>
    expect(printed(withLinks(link('a', 'e'), '{ source: target, target: b }'))).toMatchInlineSnapshot(`
      "specs/x.yaml:8:26: there is no instance "e"
        8 |   - { source: a, target: e }
          |                          ^
          = expected: one of a, b, c, d
      specs/x.yaml:9:15: there is no instance "target"
        9 |   - { source: target, target: b }
          |               ^^^^^^
          = expected: one of a, b, c, d"
    `));
  test('to itself', () =>
    expect(printed(withLinks(link('a', 'a')))).toMatchInlineSnapshot(`
    "specs/x.yaml:8:26: "a" cannot be its own target
      8 |   - { source: a, target: a }
        |                          ^
        = expected: two different instances"
  `));
  test('a pair that goes both ways', () =>
    expect(printed(withLinks(link('a', 'b'), link('b', 'a')))).toMatchInlineSnapshot(`
      "specs/x.yaml:9:26: this link closes a circle, and both links copy everything: b → a → b
        9 |   - { source: b, target: a }
          |                          ^
          = expected: topology: { kind: two-way, … }, or incrementalOnly: true in one of the two"
    `));
  test('a circle', () =>
    expect(printed(withLinks(link('a', 'b'), link('b', 'c'), link('c', 'a')))).toMatchInlineSnapshot(`
      "specs/x.yaml:10:26: this link closes a circle: c → a → b → c
        10 |   - { source: c, target: a }
           |                          ^
           = expected: links that never lead back"
    `));
  test('the same link twice', () =>
    expect(linesOf(withLinks(link('a', 'b'), link('a', 'b')))).toMatchInlineSnapshot(`
    [
      "9:5 there is a link from "a" to "b" already",
    ]
  `));
  test('the same id twice', () =>
    expect(printed(withLinks('{ id: x, source: a, target: b }', '{ id: x, source: c, target: d }')))
      .toMatchInlineSnapshot(`
      "specs/x.yaml:9:11: there is a link "x" already
        9 |   - { id: x, source: c, target: d }
          |           ^
          = expected: another id"
    `));
  test('separate pairs are fine', () => {
    const { links, topology } = planOf(withLinks(link('a', 'b'), link('c', 'd')));
    expect(topology.kind).toBe('links');
    expect(links.map(({ id }) => id)).toEqual(['a-to-b', 'c-to-d']);
  });
});

describe('instances', () => {
  test('what belongs to a provisioned one, and what to an existing one', () => {
    expect(linesOf(withSource('{ username: u, disposable: true, passwordFile: f }'))).toMatchInlineSnapshot(`
      [
        "3:13 "username" belongs to an existing endpoint, and instances.source has no url",
        "3:26 "disposable" belongs to an existing endpoint, and instances.source has no url",
        "3:44 "passwordFile" belongs to an existing endpoint, and instances.source has no url",
      ]
    `);
    expect(
      printed(
        withSource(
          '{ url: "redis://h", disposable: true, version: "7", replicas: 1, config: {}, binary: x }',
        ),
      ),
    ).toMatchInlineSnapshot(`
      "specs/x.yaml:3:49: "version" belongs to a provisioned server, and instances.source has a url
        3 |   source: { url: "redis://h", disposable: true, version: "7", replicas: 1, config: {}, binary: x }
          |                                                 ^^^^^^^
          = expected: either url or version
      specs/x.yaml:3:63: "replicas" belongs to a provisioned server, and instances.source has a url
        3 |   source: { url: "redis://h", disposable: true, version: "7", replicas: 1, config: {}, binary: x }
          |                                                               ^^^^^^^^
          = expected: either url or replicas
      specs/x.yaml:3:76: "config" belongs to a provisioned server, and instances.source has a url
        3 |   source: { url: "redis://h", disposable: true, version: "7", replicas: 1, config: {}, binary: x }
          |                                                                            ^^^^^^
          = expected: either url or config
      specs/x.yaml:3:88: "binary" belongs to a provisioned server, and instances.source has a url
        3 |   source: { url: "redis://h", disposable: true, version: "7", replicas: 1, config: {}, binary: x }
          |                                                                                        ^^^^^^
          = expected: either url or binary"
    `);
  });
  test('urls', () => {
    expect(printed(withSource('{ url: "http://h", disposable: true }'))).toMatchInlineSnapshot(`
      "specs/x.yaml:3:18: instances.source.url: it does not begin with redis:// or rediss://
        3 |   source: { url: "http://h", disposable: true }
          |                  ^^^^^^^^^^
          = expected: redis://host:6379, redis://user@host:6379, or rediss:// for TLS"
    `);
    expect(linesOf(withSource('{ url: "redis://h/2", disposable: true }'))).toMatchInlineSnapshot(`
      [
        "3:18 instances.source.url: something follows the port; a link always takes every database",
      ]
    `);
    expect(linesOf(withSource('{ url: "redis://u@h", username: v, disposable: true }')))
      .toMatchInlineSnapshot(`
      [
        "3:33 there is a user name in the url already",
      ]
    `);
    expect(linesOf(withSource('{ url: "redis://h", tls: { insecure: true }, disposable: true }')))
      .toMatchInlineSnapshot(`
      [
        "3:31 tls settings need a url that begins with rediss://",
      ]
    `);
  });
  test('tls: true is of a provisioned standalone, settings are of an endpoint', () => {
    expect(linesOf(withSource('{ tls: true, replicas: 2, config: { tls-protocols: TLSv1.3 } }'))).toEqual([]);
    expect(planOf(withSource('{ tls: true }')).instances[0]).toMatchObject({ ownTls: true });
    expect(planOf(withSource('{ tls: false }')).instances[0]).not.toHaveProperty('ownTls');
    expect(linesOf(withSource('{ tls: { ca: x.pem } }'))).toMatchInlineSnapshot(`
      [
        "3:13 tls settings belong to an existing endpoint, and instances.source has no url",
      ]
    `);
    expect(linesOf(withSource('{ url: "rediss://h", tls: true }'))).toMatchInlineSnapshot(`
      [
        "3:32 tls: true belongs to a provisioned server, and instances.source has a url",
      ]
    `);
    expect(linesOf(withSource('{ kind: cluster, tls: true }'))).toMatchInlineSnapshot(`
      [
        "3:28 a provisioned cluster has no TLS yet",
      ]
    `);
    expect(linesOf(withSource('{ kind: sentinel, tls: true }'))).toMatchInlineSnapshot(`
      [
        "3:29 a provisioned sentinel has no TLS yet",
      ]
    `);
    expect(linesOf(withSource('{ provider: container, image: redis, tls: true }'))).toMatchInlineSnapshot(`
      [
        "3:48 a provisioned container has no TLS yet",
      ]
    `);
    expect(linesOf(withSource('{ tls: true, config: { tls-port: 1 } }'))).toMatchInlineSnapshot(`
      [
        "3:34 "tls-port" cannot be set: tls: true makes certificates and the port",
      ]
    `);
    expect(linesOf(`${withSource('{ tls: true }')}engine: { driver: replica }\n`)).toMatchInlineSnapshot(`
      [
        "3:11 "source" speaks TLS, and driver: replica sets no certificates on its replica",
      ]
    `);
    expect(linesOf(`${HEAD.replace('target: {}', 'target: { tls: true }')}engine: { driver: replica }\n`))
      .toMatchInlineSnapshot(`
      [
        "4:13 "target" would follow its source by TLS, which has none",
      ]
    `);
    expect(printed(`${HEAD}timeline: [{ fault: tls-expire, at: 1s, where: target }]\n`))
      .toMatchInlineSnapshot(`
      "specs/x.yaml:6:48: tls-expire cannot happen to "target": it has no certificates of ours
        6 | timeline: [{ fault: tls-expire, at: 1s, where: target }]
          |                                                ^^^^^^
          = expected: tls: true on a standalone without url, or the fault password-rotate"
    `);
  });
  test('one of url, urls and sentinel', () => {
    expect(
      linesOf(
        withSource('{ url: "redis://h", urls: ["redis://i"], sentinel: { name: m, nodes: ["redis://j"] } }'),
      ),
    ).toMatchInlineSnapshot(`
      [
        "3:31 url and urls exclude each other",
        "3:52 url and sentinel exclude each other",
      ]
    `);
    expect(linesOf(withSource('{ urls: ["redis://h"], replicas: 1 }'))).toMatchInlineSnapshot(`
      [
        "3:34 "replicas" belongs to a provisioned server, and instances.source has a list of urls",
      ]
    `);
    expect(linesOf(withSource('{ urls: [] }'))).toMatchInlineSnapshot(`
      [
        "3:19 instances.source.urls is empty",
      ]
    `);
    expect(linesOf(withSource('{ sentinel: { name: m } }'))).toMatchInlineSnapshot(`
      [
        "3:23 instances.source.sentinel needs "nodes"",
      ]
    `);
  });
  test('several addresses of one instance', () => {
    expect(linesOf(withSource('{ urls: ["redis://h", "http://i", "redis://u@j:1"] }')))
      .toMatchInlineSnapshot(`
      [
        "3:33 instances.source.urls[1]: it does not begin with redis:// or rediss://",
        "3:45 instances.source.urls[2]: the user name stands beside a list, not in it",
      ]
    `);
    expect(linesOf(withSource('{ urls: ["redis://h", "rediss://i"] }'))).toMatchInlineSnapshot(`
      [
        "3:33 some of the urls are with TLS and some are not",
      ]
    `);
    expect(linesOf(withSource('{ urls: ["redis://h", "redis://i"], tls: { insecure: true } }')))
      .toMatchInlineSnapshot(`
      [
        "3:47 tls settings need urls that begin with rediss://",
      ]
    `);
    expect(linesOf(withSource('{ urls: ["redis://h", "redis://h"] }'))).toMatchInlineSnapshot(`
      [
        "3:19 instances.source.urls lists the same thing twice",
      ]
    `);
    expect(
      planOf(withSource('{ urls: ["rediss://h"], tls: { insecure: true } }')).instances[0]?.urls,
    ).toEqual(['rediss://h:6379']);
  });
  test('Sentinels', () => {
    expect(
      printed(
        withSource(
          '{ sentinel: { name: m, nodes: ["redis://s@h", 5, "h:1"], password: "${Q}", passwordFile: nowhere } }',
        ),
      ),
    ).toMatchInlineSnapshot(`
      "specs/x.yaml:3:42: instances.source.sentinel.nodes[0]: the user name stands beside a list, not in it
        3 |   source: { sentinel: { name: m, nodes: ["redis://s@h", 5, "h:1"], password: "\${Q}", passwordFile: nowhere } }
          |                                          ^^^^^^^^^^^^^
          = expected: username: s
      specs/x.yaml:3:57: instances.source.sentinel.nodes[1] cannot be 5
        3 |   source: { sentinel: { name: m, nodes: ["redis://s@h", 5, "h:1"], password: "\${Q}", passwordFile: nowhere } }
          |                                                         ^
          = expected: text in quotes: "5"
      specs/x.yaml:3:60: instances.source.sentinel.nodes[2]: it does not begin with redis:// or rediss://
        3 |   source: { sentinel: { name: m, nodes: ["redis://s@h", 5, "h:1"], password: "\${Q}", passwordFile: nowhere } }
          |                                                            ^^^^^
          = expected: redis://host:6379, redis://user@host:6379, or rediss:// for TLS
      specs/x.yaml:3:78: the environment variable Q is not set
        3 |   source: { sentinel: { name: m, nodes: ["redis://s@h", 5, "h:1"], password: "\${Q}", passwordFile: nowhere } }
          |                                                                              ^^^^^^
          = expected: Q in the environment of this command
      specs/x.yaml:3:86: password and passwordFile exclude each other
        3 |   source: { sentinel: { name: m, nodes: ["redis://s@h", 5, "h:1"], password: "\${Q}", passwordFile: nowhere } }
          |                                                                                      ^^^^^^^^^^^^
          = expected: one of the two
      specs/x.yaml:3:100: there is no file specs/nowhere
        3 |   source: { sentinel: { name: m, nodes: ["redis://s@h", 5, "h:1"], password: "\${Q}", passwordFile: nowhere } }
          |                                                                                                    ^^^^^^^
          = expected: a file name; relative ones begin at the spec"
    `);
    expect(linesOf(withSource('{ sentinel: { name: m, nodes: ["redis://h"], quorum: 2 } }')))
      .toMatchInlineSnapshot(`
      [
        "3:56 unknown key "quorum" in instances.source.sentinel",
      ]
    `);
    expect(
      planOf(withSource('{ sentinel: { name: m, nodes: ["redis://h"] }, tls: {} }')).instances[0]?.tls,
    ).toEqual({});
  });
  test('password and passwordFile', () =>
    expect(
      linesOf(
        withSource('{ url: "redis://h", password: "${P}", passwordFile: package.json, disposable: true }'),
        {
          env: { P: 'x' },
        },
      ),
    ).toMatchInlineSnapshot(`
      [
        "3:49 password and passwordFile exclude each other",
        "3:63 there is no file specs/package.json",
      ]
    `));
  test('configuration that belongs to the run', () =>
    expect(printed(withSource('{ config: { dir: /tmp, replicaof: "h 1", Maxmemory: 1mb, maxmemory: [] } }')))
      .toMatchInlineSnapshot(`
      "specs/x.yaml:3:23: "dir" cannot be set: a provisioned server lives in the folder of its run
        3 |   source: { config: { dir: /tmp, replicaof: "h 1", Maxmemory: 1mb, maxmemory: [] } }
          |                       ^^^
      specs/x.yaml:3:34: "replicaof" cannot be set: replicas: N makes replicas
        3 |   source: { config: { dir: /tmp, replicaof: "h 1", Maxmemory: 1mb, maxmemory: [] } }
          |                                  ^^^^^^^^^
      specs/x.yaml:3:52: "Maxmemory" cannot be a key of instances.source.config
        3 |   source: { config: { dir: /tmp, replicaof: "h 1", Maxmemory: 1mb, maxmemory: [] } }
          |                                                    ^^^^^^^^^
          = expected: a redis.conf directive in lower case
      specs/x.yaml:3:79: instances.source.config.maxmemory cannot be a list
        3 |   source: { config: { dir: /tmp, replicaof: "h 1", Maxmemory: 1mb, maxmemory: [] } }
          |                                                                               ^^
          = expected: text or a number or true or false"
    `));
  test('versions', () => {
    expect(printed(withSource('{ version: seven }'))).toMatchInlineSnapshot(`
      "specs/x.yaml:3:22: instances.source.version cannot be "seven"
        3 |   source: { version: seven }
          |                      ^^^^^
          = expected: a version such as "7" or "7.2""
    `);
    expect(planOf(withSource('{ version: 7.10 }')).instances[0]?.version).toBe('7.10');
    expect(planOf(withSource('{ version: "7.2" }')).instances[0]?.version).toBe('7.2');
    expect(planOf(withSource('{ version: 7.0 }')).instances[0]?.version).toBe('7.0');
  });

  test('files are looked for beside the spec', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'redis-sync-rules-'));
    try {
      const text = withSource(
        '{ url: "rediss://h", passwordFile: secret, tls: { ca: nowhere.pem, cert: . , key: secret }, disposable: true }',
      );
      await writeFile(join(folder, 'spec.yaml'), text);
      await writeFile(join(folder, 'secret'), 'hunter2');
      const outcome = await loadSpec(join(folder, 'spec.yaml'));
      const problems = outcome.kind === 'invalid' ? outcome.problems : [];
      expect(problems.map(({ message }) => message.replaceAll(folder, 'FOLDER'))).toMatchInlineSnapshot(`
        [
          "there is no file FOLDER/nowhere.pem",
          "this is a folder: FOLDER",
        ]
      `);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe('data and workload', () => {
  const existing = HEAD.replace('source: {}', 'source: { url: "redis://h" }');

  test('only into sources', () =>
    expect(printed(`${HEAD}data: [{ into: target }]\nworkload: [{ into: [source, nobody] }]\n`))
      .toMatchInlineSnapshot(`
      "specs/x.yaml:6:16: "target" is not the source of a link
        6 | data: [{ into: target }]
          |                ^^^^^^
          = expected: source
      specs/x.yaml:7:29: there is no instance "nobody"
        7 | workload: [{ into: [source, nobody] }]
          |                             ^^^^^^
          = expected: one of source, target"
    `));
  test('never into an existing endpoint that is not disposable', () => {
    expect(printed(`${existing}data: [{ into: source }, {}]\nworkload: [{}]\n`)).toMatchInlineSnapshot(`
      "specs/x.yaml:6:16: "source" is an existing endpoint that does not say disposable: true, so nothing is written to it
        6 | data: [{ into: source }, {}]
          |                ^^^^^^
          = expected: disposable: true beside its url, if everything in it may be lost
      specs/x.yaml:6:26: there is no source to write to: source is an existing endpoint that does not say disposable: true
        6 | data: [{ into: source }, {}]
          |                          ^^
          = expected: disposable: true beside its url, if everything in it may be lost
      specs/x.yaml:7:12: there is no source to write to: source is an existing endpoint that does not say disposable: true
        7 | workload: [{}]
          |            ^^
          = expected: disposable: true beside its url, if everything in it may be lost"
    `);
    expect(linesOf(existing)).toEqual([]);
    expect(
      linesOf(`${existing.replace('"redis://h"', '"redis://h", disposable: true')}data: [{}]\n`),
    ).toEqual([]);
  });
  test('only into databases that exist', () => {
    const text = `${HEAD}data: [{ database: 16 }]\nworkload: [{ databases: [0, 20] }]\n`;
    expect(printed(text)).toMatchInlineSnapshot(`
      "specs/x.yaml:6:20: "source" has 16 databases, 0 to 15
        6 | data: [{ database: 16 }]
          |                    ^^
          = expected: a smaller number, or config: { databases: 17 } in source and its target
      specs/x.yaml:7:29: "source" has 16 databases, 0 to 15
        7 | workload: [{ databases: [0, 20] }]
          |                             ^^
          = expected: a smaller number, or config: { databases: 21 } in source and its target"
    `);
    expect(linesOf(text.replace('source: {}', 'source: { config: { databases: 32 } }'))).toEqual([]);
  });
  test('distributions', () =>
    expect(
      printed(
        `${HEAD}data:\n  - { values: { median: 10kb } }\n  - { values: { median: 2kb, p99: 1kb } }\n  - { elements: { p99: 1 } }\n  - { ttl: { between: [2h, 10m] } }\n`,
      ),
    ).toMatchInlineSnapshot(`
      "specs/x.yaml:7:25: the median (10240) is above the p99 (4096)
        7 |   - { values: { median: 10kb } }
          |                         ^^^^
          = expected: a median that is at most the p99
      specs/x.yaml:8:35: the median (2048) is above the p99 (1024)
        8 |   - { values: { median: 2kb, p99: 1kb } }
          |                                   ^^^
          = expected: a median that is at most the p99
      specs/x.yaml:9:24: the median (8) is above the p99 (1)
        9 |   - { elements: { p99: 1 } }
          |                        ^
          = expected: a median that is at most the p99
      specs/x.yaml:10:23: the shortest time to live is longer than the longest
        10 |   - { ttl: { between: [2h, 10m] } }
           |                       ^^^^^^^^^
           = expected: [10m, 2h]"
    `));
  test('weights', () =>
    expect(
      printed(`${HEAD}data: [{ types: { string: 0 } }]\nworkload: [{ mix: { set: 1, hst: 2, 5x: 1 } }]\n`),
    ).toMatchInlineSnapshot(`
      "specs/x.yaml:6:10: all weights are 0
        6 | data: [{ types: { string: 0 } }]
          |          ^^^^^
          = expected: at least one above 0
      specs/x.yaml:7:29: there is no command family "hst"; did you mean "hset"?
        7 | workload: [{ mix: { set: 1, hst: 2, 5x: 1 } }]
          |                             ^^^
          = expected: one of string, bit, hash, list, sets, zset, stream, hll, geo, key, multi, script, function, pubsub, expiry, or a command in lower case
      specs/x.yaml:7:37: "5x" cannot be a key of workload[0].mix
        7 | workload: [{ mix: { set: 1, hst: 2, 5x: 1 } }]
          |                                     ^^
          = expected: a command family in lower case"
    `));
  test('prefixes', () =>
    expect(
      linesOf(
        `${HEAD}data:\n  - { prefix: "a:" }\n  - { prefix: "a:", database: 1 }\n  - { prefix: "a:" }\n  - { prefix: "redis-sync:x" }\n`,
      ),
    ).toMatchInlineSnapshot(`
      [
        "9:15 data[0] has the same prefix in the same database: they would overwrite each other",
        "10:15 keys that begin with "redis-sync:" belong to the replication itself",
      ]
    `));
  test('names of workloads', () =>
    expect(linesOf(`${HEAD}workload: [{ name: load-2 }, {}, { name: load-2 }]\n`)).toMatchInlineSnapshot(`
      [
        "6:30 there is a workload "load-2" already",
        "6:42 there is a workload "load-2" already",
      ]
    `));
});

describe('timeline', () => {
  const script = 'fault: script, where: target, with: { commands: [PING] }';

  test('a trigger, and only one', () =>
    expect(
      printed(
        steps(
          `{ ${script} }`,
          `{ ${script}, at: 1s, when: incremental }`,
          `{ ${script}, at: 1s, delay: 1s }`,
        ),
      ),
    ).toMatchInlineSnapshot(`
      "specs/x.yaml:7:5: this step does not say when it happens
        7 |   - { fault: script, where: target, with: { commands: [PING] } }
          |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
          = expected: one of at, when, after
      specs/x.yaml:8:73: "at" and "when" exclude each other
        8 |   - { fault: script, where: target, with: { commands: [PING] }, at: 1s, when: incremental }
          |                                                                         ^^^^
          = expected: one of them
      specs/x.yaml:9:73: "delay" goes with when or after
        9 |   - { fault: script, where: target, with: { commands: [PING] }, at: 1s, delay: 1s }
          |                                                                         ^^^^^
          = expected: a later "at""
    `));
  test('ids', () =>
    expect(linesOf(steps(`{ id: a, ${script}, at: 1s }`, `{ id: a, ${script}, at: 1s }`)))
      .toMatchInlineSnapshot(`
      [
        "8:11 there is a step "a" already",
      ]
    `));
  test('after a step that exists', () =>
    expect(printed(steps(`{ id: plant, ${script}, at: 1s }`, `{ ${script}, after: plnat }`)))
      .toMatchInlineSnapshot(`
      "specs/x.yaml:8:72: there is no step "plnat"; did you mean "plant"?
        8 |   - { fault: script, where: target, with: { commands: [PING] }, after: plnat }
          |                                                                        ^^^^^
          = expected: one of plant, step-2"
    `));
  test('steps that wait for each other', () =>
    expect(
      linesOf(
        steps(`{ id: a, ${script}, after: b }`, `{ id: b, ${script}, after: a }`, `{ ${script}, after: a }`),
      ),
    ).toMatchInlineSnapshot(`
      [
        "7:79 these steps wait for each other: a → b → a",
      ]
    `));
  test('a mistake in the trigger is one problem', () =>
    expect(linesOf(steps(`{ ${script}, at: 5 }`, `{ ${script}, when: incremantal }`))).toMatchInlineSnapshot(`
      [
        "7:69 timeline[0].at: "5" has no unit",
        "8:71 timeline[1].when: "incremantal" is not a phase",
      ]
    `));
  test('conditions', () =>
    expect(
      linesOf(
        steps(
          `{ ${script}, when: { link: nobody, phase: full-sync } }`,
          `{ ${script}, when: { phase: fullsync, progress: half } }`,
          `{ ${script}, when: { link: source-to-target, metric: lag_bytes, is: "> 1mb", for: 3s } }`,
          `{ ${script}, when: { link: nobody, metric: lag_bytes, is: "> 1 mb" } }`,
          `{ ${script}, when: { proxy: "link:source-to-target.source", bytes: 3mb } }`,
          `{ ${script}, when: { proxy: source, bytes: many } }`,
          `{ ${script}, when: { proxy: "link:nobody.source", bytes: 1mb, phase: full-sync } }`,
        ),
      ),
    ).toMatchInlineSnapshot(`
      [
        "7:79 there is no link "nobody"",
        "8:80 timeline[1].when.phase cannot be "fullsync"; did you mean "full-sync"?",
        "8:100 timeline[1].when.progress: "half" is not a percentage",
        "10:79 there is no link "nobody"",
        "10:110 timeline[3].when.is: "> 1 mb" is not a condition",
        "12:80 "source" is not one side of a link",
        "12:95 timeline[5].when.bytes: "many" is not a size",
        "13:71 timeline[6].when has "phase" and "proxy", which exclude each other",
      ]
    `));
  test('where', () =>
    expect(
      linesOf(
        steps(
          '{ fault: script, with: { commands: [PING] }, at: 1s, where: taget }',
          '{ fault: script, with: { commands: [PING] }, at: 1s, where: "target.replica(0)" }',
          '{ fault: script, with: { commands: [PING] }, at: 1s, where: target.master }',
          '{ fault: script, with: { commands: [PING] }, at: 1s, where: "link:forward.source" }',
        ),
      ),
    ).toMatchInlineSnapshot(`
      [
        "7:65 there is no instance "taget"; did you mean "target"?",
        "8:65 "target" has no replicas",
        "9:65 "target.master" is not the name of an instance or a link",
        "10:65 there is no link "forward"",
      ]
    `));
  test('never an existing endpoint that is not disposable', () =>
    expect(linesOf(steps(`{ ${script}, at: 1s }`).replace('target: {}', 'target: { url: "redis://h" }')))
      .toMatchInlineSnapshot(`
      [
        "7:29 "target" is an existing endpoint that does not say disposable: true, so nothing is done to it",
      ]
    `));
  test('settings of a fault are checked by the fault', () =>
    expect(
      linesOf(
        steps(
          '{ fault: script, at: 1s }',
          '{ fault: script, at: 1s, with: {} }',
          '{ fault: script, at: 1s, with: { commands: PING } }',
          '{ fault: script, at: 1s, with: { run: "true", timeout: 5 } }',
          '{ fault: latency, at: 1s, where: "link:source-to-target.source", with: { jitter: soon } }',
          '{ fault: latencies, at: 1s }',
        ),
      ),
    ).toMatchInlineSnapshot(`
      [
        "7:5 timeline[0] needs "with"",
        "8:36 timeline[1].with does not say what it is about",
        "9:5 this step does not say where its commands go",
        "9:48 timeline[2].with.commands cannot be "PING"",
        "10:60 timeline[3].with.timeout cannot be 5",
        "11:86 timeline[4].with.jitter cannot be "soon"",
        "12:14 timeline[5].fault cannot be "latencies"; did you mean "latency"?",
      ]
    `));
  test('a fault aims at what it can happen to', () =>
    expect(
      linesOf(
        steps(
          '{ fault: latency, at: 1s }',
          '{ fault: latency, at: 1s, where: source }',
          '{ fault: latency, at: 1s, where: "link:source-to-target" }',
          '{ fault: kill, at: 1s, where: "link:source-to-target" }',
        ),
      ),
    ).toMatchInlineSnapshot(`
      [
        "7:5 this step does not say where: latency happens to a link, or one side of it",
        "8:38 latency happens to a link, or one side of it, and "source" is an instance",
        "10:35 kill happens to an instance, and "link:source-to-target" is a link",
      ]
    `));
  test('a fault that an instance cannot have is refused, with what would help', () =>
    expect(
      linesOf(
        steps(
          '{ fault: failover, at: 1s, where: source }',
          '{ fault: repl-timeout, at: 1s, where: target }',
          '{ fault: kill, at: 1s, where: target }',
          '{ fault: reshard, at: 1s, where: target }',
          '{ fault: kill, at: 1s, where: target.shard(1) }',
        ),
      ),
    ).toMatchInlineSnapshot(`
      [
        "7:39 failover cannot happen to "source": it has no replica",
        "8:43 repl-timeout needs a link that starts at "target", and none does",
        "10:38 reshard cannot happen to "target": it is no cluster of ours",
        "11:35 "target" is no cluster and has no shards",
      ]
    `));
  test('what is not ours is neither killed nor configured', () =>
    expect(
      printed(`name: x
instances: { source: {}, target: { url: "redis://10.0.0.5", disposable: true } }
topology: { kind: one-way, source: source, target: target }
timeline:
  - { fault: kill, at: 1s, where: target }
  - { fault: target-oom, at: 1s, where: target }
`),
    ).toMatchInlineSnapshot(`
      "specs/x.yaml:5:35: kill cannot happen to "target": its process is not ours to kill
        5 |   - { fault: kill, at: 1s, where: target }
          |                                   ^^^^^^
          = expected: an instance without url, or the fault connection-kill"
    `));
  test('the clock of a container, or of somebody else, is not moved', () =>
    expect(
      linesOf(`name: x
instances: { source: { provider: container, image: "redis:7" }, target: {} }
topology: { kind: one-way, source: source, target: target }
timeline:
  - { fault: clock-skew, at: 1s, where: source }
  - { fault: clock-skew, at: 1s, where: target, with: { by: -5s } }
`),
    ).toEqual(['5:41 clock-skew cannot happen to "source": it goes by a clock that is not ours to move']));
  test('how often is said with how far apart', () =>
    expect(
      linesOf(
        steps(
          `{ ${script}, at: 1s, every: 5s, times: 4 }`,
          `{ ${script}, at: 1s, times: 4 }`,
          `{ ${script}, at: 1s, every: 1ms }`,
        ),
      ),
    ).toMatchInlineSnapshot(`
      [
        "8:73 "times" says how often, but not how far apart",
        "9:80 timeline[2].every: 1ms is too small",
      ]
    `));
});

test('expectations name links that exist', () =>
  expect(linesOf(`${HEAD}expect: [{ finding: OOM, count: 0, link: forward }]\n`)).toMatchInlineSnapshot(`
    [
      "6:42 there is no link "forward"",
    ]
  `));

describe('policies', () => {
  test('durability that the target cannot give', () =>
    expect(printed(`${HEAD}engine: { durability: { replicas: 2 } }\n`)).toMatchInlineSnapshot(`
      "specs/x.yaml:6:35: "target" has 0 replicas: no write would ever be durable
        6 | engine: { durability: { replicas: 2 } }
          |                                   ^
          = expected: target: { replicas: 2 }"
    `));
  test('durability that it can give, or of which nobody knows', () => {
    const durable = 'engine: { durability: { replicas: 2 } }\n';
    expect(linesOf(`${HEAD.replace('target: {}', 'target: { replicas: 2 }')}${durable}`)).toEqual([]);
    expect(linesOf(`${HEAD.replace('target: {}', 'target: { url: "redis://h" }')}${durable}`)).toEqual([]);
  });
  test('durability that is neither', () =>
    expect(printed(`${HEAD}engine: { durability: strong }\n`)).toMatchInlineSnapshot(`
      "specs/x.yaml:6:23: engine.durability cannot be "strong"
        6 | engine: { durability: strong }
          |                       ^^^^^^
          = expected: none, or { replicas: 1, timeout: 1s }"
    `));
  test('several links that would delete what the others have copied', () => {
    const links = withLinks(link('a', 'd'), link('b', 'd'));
    expect(printed(`${links}engine: { existing: overwrite }\n`)).toMatchInlineSnapshot(`
      "specs/x.yaml:10:21: several links write to "d", and each would delete what the others have copied
        10 | engine: { existing: overwrite }
           |                     ^^^^^^^^^
           = expected: merge, or fail"
    `);
    const several = expect.stringContaining('several links');
    expect(linesOf(`${links}engine: { existing: merge }\n`)).not.toContainEqual(several);
    const apart = withLinks(link('a', 'c'), link('b', 'd'));
    expect(linesOf(`${apart}engine: { existing: overwrite }\n`)).not.toContainEqual(several);
  });
});
