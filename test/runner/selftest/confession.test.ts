/** A known-bad engine notes what it did wrong, and nothing else. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { FromReplicator } from '../../../engine/link/messages.ts';
import { encodeCommand } from '../../../engine/resp/encode.ts';
import {
  confessingStream,
  confessingTell,
  confessTo,
  readConfession,
} from '../../../runner/selftest/confession.ts';
import type { StreamCommand, StreamMutation } from '../../../runner/selftest/misbehaviour.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'confession-'));
});
afterEach(() => rm(folder, { recursive: true }));

const SET: StreamCommand = {
  name: 'set',
  words: ['SET', 'k', '1'].map((word) => Buffer.from(word)),
  raw: encodeCommand(['SET', 'k', '1']),
};

function deedsOf(mutation: StreamMutation): string[] {
  const deeds: string[] = [];
  const confessing = confessingStream(mutation, (deed) => deeds.push(deed));
  confessing(SET, { send() {}, hold() {}, cut() {} });
  return deeds;
}

describe('a stream', () => {
  test('passed on as it is: nothing', () => {
    expect(deedsOf(({ raw }, out) => out.send(Buffer.from(raw)))).toEqual([]);
  });

  const changes: [string, StreamMutation][] = [
    ['left out', () => undefined],
    ['twice', ({ raw }, out) => [raw, raw].forEach((bytes) => out.send(bytes))],
    ['something else', (_, out) => out.send(encodeCommand(['PING']))],
    [
      'held up',
      ({ raw }, out) => {
        out.send(raw);
        out.hold(1);
      },
    ],
    [
      'cut',
      ({ raw }, out) => {
        out.send(raw);
        out.cut();
      },
    ],
  ];
  test.each(changes)('%s: a deed', (_, mutation) => {
    expect(deedsOf(mutation)).toEqual(['changed set in the stream']);
  });
});

test('a message told as it is, and another one', () => {
  const deeds: string[] = [];
  const message: FromReplicator = {
    kind: 'finding',
    link: 'a',
    code: 'FLUSH',
    severity: 'error',
    message: 'm',
    evidence: {},
  };
  const confess = (deed: string): unknown => deeds.push(deed);
  confessingTell((told) => [{ ...told }], confess)(message);
  expect(deeds).toEqual([]);
  confessingTell(() => [], confess)(message);
  expect(deeds).toEqual(['changed a finding message']);
});

test('deeds are noted once each; without any, or without a file, there is nothing to read', async () => {
  const file = join(folder, 'deeds');
  expect(await readConfession(file)).toEqual([]);
  confessTo(undefined)('unseen');
  const confess = confessTo(file);
  for (const deed of ['first', 'second', 'first']) confess(deed);
  confessTo(file)('second');
  expect(await readConfession(file)).toEqual(['first', 'second']);
});
