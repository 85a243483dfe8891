/** The limits of every topology: each is a problem with its place in the file. */
import { describe, expect, test } from 'vitest';
import { linesOf, printed } from './problems.ts';

const INSTANCES = 'name: x\ninstances:\n  a: {}\n  b: {}\n  c: {}\n  d: { kind: cluster, shards: 3 }\n';

/** The topology is on line 7, `rest` begins on line 8. */
function topology(text: string, rest = ''): string {
  return `${INSTANCES}topology: ${text}\n${rest}`;
}

/** Links, one per line from line 8. */
function links(...lines: string[]): string {
  return `${INSTANCES}links:\n${lines.map((line) => `  - ${line}\n`).join('')}`;
}

describe('circles', () => {
  test('an explicit pair of which both copy everything', () =>
    expect(printed(links('{ source: a, target: b }', '{ source: b, target: a }'))).toMatchInlineSnapshot(`
      "specs/x.yaml:9:26: this link closes a circle, and both links copy everything: b → a → b
        9 |   - { source: b, target: a }
          |                          ^
          = expected: topology: { kind: two-way, … }, or incrementalOnly: true in one of the two"
    `));

  test('a cascade that comes back', () =>
    expect(linesOf(topology('{ kind: cascade, chain: [a, b, a] }'))).toMatchInlineSnapshot(`
      [
        "7:35 topology.chain lists the same thing twice",
      ]
    `));

  test('links in a ring', () =>
    expect(linesOf(links('{ source: a, target: b }', '{ source: b, target: c }', '{ source: c, target: a }')))
      .toMatchInlineSnapshot(`
      [
        "10:26 this link closes a circle: c → a → b → c",
      ]
    `));

  test('a pair, and a third that feeds back', () =>
    expect(
      linesOf(
        links(
          '{ source: a, target: b }',
          '{ source: b, target: a, incrementalOnly: true }',
          '{ source: b, target: c }',
          '{ source: c, target: a }',
        ),
      ),
    ).toMatchInlineSnapshot(`
      [
        "11:26 this link closes a circle: c → a → b → c",
      ]
    `));

  test('with a cluster in it: without what needs one process to see everything', () => {
    const pair = '{ kind: two-way, source: a, target: d }';
    expect(linesOf(topology(pair))).toEqual([]);
    expect(linesOf(topology('{ kind: ring, members: [d, b, c] }', 'engine: { crossSlot: split }\n'))).toEqual(
      [],
    );
    expect(linesOf(topology(pair, 'engine: { conflict: last-write-wins, crossSlot: refetch }\n'))).toEqual([
      '8:21 "d" is a cluster, and one of a circle: its shards have processes of their own, and none sees all writes that cross',
      '8:49 "d" is a cluster, and one of a circle: keys that are read again would replace what was written there meanwhile',
    ]);
    expect(
      linesOf(topology('{ kind: cascade, chain: [a, b, d] }', 'engine: { crossSlot: refetch }\n')),
    ).toEqual([]);
  });

  test('to itself', () => {
    expect(linesOf(topology('{ kind: two-way, source: a, target: a }'))).toMatchInlineSnapshot(`
      [
        "7:47 "a" cannot be its own target",
      ]
    `);
    expect(linesOf(topology('{ kind: one-to-many, source: a, targets: [b, a] }'))).toMatchInlineSnapshot(`
      [
        "7:56 "a" cannot be its own target",
      ]
    `);
    expect(linesOf(topology('{ kind: codis, groups: [a, b], target: b }'))).toMatchInlineSnapshot(`
      [
        "7:50 "b" cannot be its own target",
      ]
    `);
  });
});

describe('the way back', () => {
  test('of nothing', () =>
    expect(printed(links('{ source: a, target: b, incrementalOnly: true }'))).toMatchInlineSnapshot(`
      "specs/x.yaml:8:46: nothing copies what is in "a" at the beginning: no link leads from "b" to "a" that this one could be the way back of
        8 |   - { source: a, target: b, incrementalOnly: true }
          |                                              ^^^^
          = expected: a link from b to a, or no incrementalOnly"
    `));

  test('both ways incremental only', () =>
    expect(
      linesOf(
        links(
          '{ source: a, target: b, incrementalOnly: true }',
          '{ source: b, target: a, incrementalOnly: true }',
        ),
      ),
    ).toMatchInlineSnapshot(`
      [
        "9:46 "a-to-b" is incremental only too: nothing would copy what is there at the beginning",
      ]
    `));

  test('before the way there', () => {
    expect(
      linesOf(
        links(
          '{ source: a, target: b, startsAfter: back }',
          '{ id: back, source: b, target: a, incrementalOnly: true }',
        ),
      ),
    ).toMatchInlineSnapshot(`
      [
        "8:42 "back" is the reverse of this link: it starts when this one is in sync, not before",
      ]
    `);
    expect(
      linesOf(
        links(
          '{ source: a, target: b }',
          '{ source: b, target: a, incrementalOnly: true, startsAfter: b-to-c }',
          '{ source: b, target: c }',
        ),
      ),
    ).toMatchInlineSnapshot(`
      [
        "9:65 a reverse cannot start before "a-to-b", which it is the reverse of, is in sync",
      ]
    `);
  });
});

describe('waiting', () => {
  test('for what is not there, and for each other', () => {
    expect(linesOf(links('{ source: a, target: b, startsAfter: a-to-d }'))).toMatchInlineSnapshot(`
      [
        "8:42 there is no link "a-to-d"; did you mean "a-to-b"?",
      ]
    `);
    expect(linesOf(links('{ source: a, target: b, startsAfter: a-to-b }'))).toMatchInlineSnapshot(`
      [
        "8:42 these links wait for each other: a-to-b → a-to-b",
      ]
    `);
    expect(
      linesOf(
        links(
          '{ source: a, target: b, startsAfter: b-to-c }',
          '{ source: b, target: c, startsAfter: a-to-b }',
        ),
      ),
    ).toMatchInlineSnapshot(`
      [
        "8:42 these links wait for each other: a-to-b → b-to-c → a-to-b",
      ]
    `);
  });
});

describe('owners', () => {
  test('patterns that overlap', () => {
    const ownership = "ownership: { a: ['user:*'], b: ['order:*', 'user:1*'] }";
    expect(printed(topology(`{ kind: many-to-one, sources: [a, b], target: c, ${ownership} }`)))
      .toMatchInlineSnapshot(`
      "specs/x.yaml:7:103: "user:1*" and "user:*" of "a" overlap: a key such as "user:1" would have two owners
        7 | topology: { kind: many-to-one, sources: [a, b], target: c, ownership: { a: ['user:*'], b: ['order:*', 'user:1*'] } }
          |                                                                                                       ^^^^^^^^^
          = expected: patterns that no key fits two of"
    `);
    expect(linesOf(topology(`{ kind: two-way, source: a, target: b, ${ownership} }`))).toMatchInlineSnapshot(`
      [
        "7:93 "user:1*" and "user:*" of "a" overlap: a key such as "user:1" would have two owners",
      ]
    `);
    expect(
      linesOf(links("{ source: a, target: c, owns: ['*'] }", "{ source: b, target: c, owns: ['order:*'] }")),
    ).toMatchInlineSnapshot(`
      [
        "9:36 "order:*" and "*" of "a" overlap: a key such as "order:" would have two owners",
      ]
    `);
  });

  test('names that are no source', () =>
    expect(linesOf(topology("{ kind: many-to-one, sources: [a, b], target: c, ownership: { c: ['x:*'] } }")))
      .toMatchInlineSnapshot(`
      [
        "7:73 "c" is not a source of this topology",
      ]
    `));

  test('traffic that does not keep to it', () =>
    expect(
      printed(
        topology(
          "{ kind: many-to-one, sources: [a, b], target: c, ownership: { a: ['user:*'] } }",
          "data:\n  - { into: a }\n  - { into: a, prefix: 'user:' }\n  - { into: b, prefix: 'user:b:' }\nworkload:\n  - { into: b, prefix: 'order:' }\n",
        ),
      ),
    ).toMatchInlineSnapshot(`
      "specs/x.yaml:9:5: keys that begin with "data-1:" do not belong to "a"
        9 |   - { into: a }
          |     ^^^^^^^^^^^
          = expected: into one source, and a prefix that fits user:*
      specs/x.yaml:11:24: keys that begin with "user:b:" belong to "a"
        11 |   - { into: b, prefix: 'user:b:' }
           |                        ^^^^^^^^^
           = expected: into: a, or another prefix"
    `));
});

const codis = (more: string, rest = ''): string =>
  topology(`{ kind: codis, groups: [a, b], target: c, ${more} }`, rest);

describe('Codis', () => {
  test('slots that are in two groups, in none, or not there', () => {
    expect(linesOf(codis('slots: { a: [0-600], b: [512-1023] }'))).toMatchInlineSnapshot(`
      [
        "7:78 slot 512 is in "a" already",
      ]
    `);
    expect(linesOf(codis('slots: { a: [0-511] }'))).toMatchInlineSnapshot(`
      [
        "7:53 no group has slot 512",
      ]
    `);
    expect(linesOf(codis('slots: { a: [0-511], b: [512-1024, 9-3] }'))).toMatchInlineSnapshot(`
      [
        "7:78 512-1024 are no slots of Codis",
        "7:88 9-3 are no slots of Codis",
      ]
    `);
    expect(linesOf(codis('slots: { a: [x], c: [1] }'))).toMatchInlineSnapshot(`
      [
        "7:66 topology.slots.a[0] cannot be "x"",
      ]
    `);
  });

  test('a group that is a cluster', () =>
    expect(linesOf(topology('{ kind: codis, groups: [a, d], target: c }'))).toMatchInlineSnapshot(`
      [
        "7:38 "d" is a cluster, and a group of a Codis cluster is a primary with replicas",
      ]
    `));

  test('databases that a cluster has not', () => {
    const spec = topology(
      '{ kind: codis, groups: [a, b], target: d, databases: [0, 1] }',
      'workload: []\ndata: []\n',
    );
    expect(linesOf(spec)).toMatchInlineSnapshot(`
      [
        "7:68 "d" is a cluster, which has database 0 only",
      ]
    `);
  });

  test('a proxy where there is none', () => {
    const workload = 'workload: [{ client: codis-proxy }]\n';
    expect(linesOf(codis('databases: [0]', workload))).toEqual([]);
    expect(linesOf(topology('{ kind: one-way, source: a, target: b }', workload))).toMatchInlineSnapshot(`
      [
        "8:22 "a" is no group of a Codis cluster, so there is no proxy in front of it",
      ]
    `);
  });
});

test('what is fed by a link is not written to by others', () => {
  const rest = 'data: [{ into: b }]\nworkload: [{ into: [a, b] }]\n';
  expect(printed(topology('{ kind: cascade, chain: [a, b, c] }', rest))).toMatchInlineSnapshot(`
    "specs/x.yaml:8:16: "b" gets its data from "a": what is in it at the beginning would be copied nowhere
      8 | data: [{ into: b }]
        |                ^
        = expected: a
    specs/x.yaml:9:24: "b" gets its data from "a": nothing else may write to it
      9 | workload: [{ into: [a, b] }]
        |                        ^
        = expected: a"
  `);
  expect(linesOf(topology('{ kind: two-way, source: a, target: b }', rest))).toMatchInlineSnapshot(`
    [
      "8:16 "b" gets its data from "a": what is in it at the beginning would be copied nowhere",
    ]
  `);
});

test('keys that belong to one kind of instance', () =>
  expect(
    linesOf(
      'name: x\ninstances:\n  a: { shards: 2 }\n  b: { kind: cluster, sentinels: 3 }\ntopology: { kind: one-way, source: a, target: b }\ndata: []\nworkload: [{ databases: [0] }]\n',
    ),
  ).toMatchInlineSnapshot(`
    [
      "3:8 "shards" belongs to kind: cluster, and instances.a is standalone",
      "4:23 "sentinels" belongs to kind: sentinel, and instances.b is cluster",
    ]
  `));

test('clients of the other side wait until the way back is open', () => {
  const pair = '{ kind: two-way, source: a, target: b }';
  expect(linesOf(topology(pair, 'workload: [{ into: a, start: full-sync }]\n'))).toEqual([]);
  expect(linesOf(topology(pair, 'workload: [{ start: full-sync }]\n'))).toMatchInlineSnapshot(`
    [
      "8:21 what is written to "b" before the link that leads back from it is in sync would reach nobody",
    ]
  `);
});

const aim = (where: string): string[] =>
  linesOf(
    `name: x\ninstances:\n  a: { kind: codis-group }\n  d: { kind: cluster, shards: 2 }\ntopology: { kind: one-way, source: a, target: d }\ndata: []\nworkload: []\ntimeline:\n  - { fault: pause, where: ${where}, at: 1s }\n`,
  );

test('steps aim at shards that are there, and at the replicas that a kind has by itself', () => {
  expect([aim('d.shard(1)'), aim('"d.shard(0).primary"'), aim('a.replica(0)')]).toEqual([[], [], []]);
  expect([aim('d.shard(2)'), aim('a.shard(0)'), aim('a.replica(1)')]).toMatchInlineSnapshot(`
    [
      [
        "9:28 "d" has 2 shards, counted from 0",
      ],
      [
        "9:28 "a" is no cluster and has no shards",
      ],
      [
        "9:28 "a" has 1 replicas, counted from 0",
      ],
    ]
  `);
});

describe('conflict rules', () => {
  const rule = 'engine: { conflict: last-write-wins }\n';

  test('are for a pair or a ring by itself', () => {
    expect(linesOf(topology('{ kind: ring, members: [a, b, c] }', rule))).toEqual([]);
    const pairs = links(
      '{ source: a, target: b }',
      '{ source: b, target: a, incrementalOnly: true }',
      '{ source: b, target: c }',
      '{ source: c, target: b, incrementalOnly: true }',
    );
    expect(linesOf(pairs)).toEqual([]);
    expect(linesOf(pairs + rule)).toMatchInlineSnapshot(`
      [
        "12:21 "b" is in several circles (a → b, b → c): writes that cross beyond it are not seen by all of them",
      ]
    `);
  });
});
