/** Every command form that a later server writes, for targets that do and do not know it. */
import { describe, expect, it } from 'vitest';
import { idBefore } from '../../../../engine/apply/translate/streams.ts';
import { factsOf, linesFor, NOW_MS, translate } from './translating.ts';

const IN_100_S = NOW_MS + 100_000;

/** [target, command, what is sent instead (undefined: the command itself)]. */
const CASES: readonly (readonly [
  target: string,
  command: string,
  expected: readonly string[] | undefined,
])[] = [
  // SET
  ['redis 7.0', 'SET k v', undefined],
  ['redis 7.0', 'SET k v PXAT 123', undefined],
  ['redis 7.0', 'SET k v KEEPTTL', undefined],
  ['redis 7.0', 'SET k v NX', undefined],
  ['redis 7.0', 'SET k v EX 100', [`SET k v PXAT ${IN_100_S}`]],
  ['redis 7.0', 'set k v nx px 100000', [`SET k v PXAT ${IN_100_S}`]],
  ['redis 6.0', 'SET k v PXAT 123', ['SET k v', 'PEXPIREAT k 123']],
  ['redis 6.0', 'SET k v EXAT 5', ['SET k v', 'PEXPIREAT k 5000']],
  ['redis 6.0', 'SET k v EX 100', ['SET k v', `PEXPIREAT k ${IN_100_S}`]],
  ['redis 6.0', 'SET k v KEEPTTL', undefined],
  ['redis 5.0', 'SET k v KEEPTTL', ['EVAL <script> 1 k v']],
  ['valkey 8.0', 'SET k v IFEQ NX', ['SET k v']],
  ['valkey 8.1', 'SET k v IFEQ PX PXAT 7', ['SET k v PXAT 7']],
  ['redis 7.0', 'SETEX k 100 v', [`SET k v PXAT ${IN_100_S}`]],
  ['redis 5.0', 'psetex k 100000 v', ['SET k v', `PEXPIREAT k ${IN_100_S}`]],
  ['valkey 9.1', 'MSETEX 2 a 1 b 2 PXAT 7', ['SET a 1 PXAT 7', 'SET b 2 PXAT 7']],
  ['redis 6.0', 'MSETEX 1 a 1 NX KEEPTTL', ['SET a 1 KEEPTTL']],
  ['redis 8.0', 'BITOP AND d a b', undefined],
  ['redis 8.0', 'BITOP DIFF d a b', ['(unsupported: Redis 8.2)']],
  ['redis 8.2', 'BITOP DIFF d a b', undefined],
  // Expiries
  ['redis 7.0', 'EXPIRE k 100', [`PEXPIREAT k ${IN_100_S}`]],
  ['redis 7.0', 'PEXPIRE k 100000 NX', [`PEXPIREAT k ${IN_100_S}`]],
  ['redis 7.0', 'PEXPIREAT k 123', undefined],
  ['redis 7.0', 'EXPIREAT k 123', undefined],
  // Keys
  ['redis 3.2', 'UNLINK a b', ['DEL a b']],
  ['redis 4.0', 'UNLINK a b', undefined],
  ['redis 6.0', 'COPY a b', ['EVAL <script> 2 a b ']],
  ['redis 6.0', 'COPY a b DB 3 REPLACE', ['EVAL <script> 2 a b 3']],
  ['redis 6.2', 'COPY a b', undefined],
  ['redis 7.0', 'DELIFEQ k v', ['DEL k']],
  ['redis 7.0', 'DELEX k IFEQ v', ['DEL k']],
  ['redis 3.2', 'HSET h a 1 b 2', ['HMSET h a 1 b 2']],
  ['redis 3.2', 'HSET h a 1', undefined],
  // Lists
  ['redis 6.0', 'LMOVE a b RIGHT LEFT', ['RPOPLPUSH a b']],
  ['redis 6.0', 'LMOVE a b LEFT RIGHT', ['EVAL <script> 2 a b LPOP RPUSH']],
  ['redis 6.2', 'LMOVE a b LEFT RIGHT', undefined],
  ['redis 6.0', 'LPOP l', undefined],
  ['redis 6.0', 'LPOP l 3', ['LTRIM l 3 -1']],
  ['redis 6.0', 'RPOP l 3', ['LTRIM l 0 -4']],
  ['valkey 7.2', 'RPOP l 3', undefined],
  // Sorted sets
  ['redis 6.0', 'ZADD z 1 a 2 b', undefined],
  ['redis 6.0', 'ZADD z XX CH 1 a', undefined],
  ['redis 6.0', 'ZADD z GT CH 1 a', ['EVAL <script> 1 z GT  0 1 a']],
  ['redis 6.0', 'ZADD z XX LT INCR 1 a', ['EVAL <script> 1 z LT XX 1 1 a']],
  ['redis 4.0', 'ZPOPMIN z', ['ZREMRANGEBYRANK z 0 0']],
  ['redis 4.0', 'ZPOPMAX z 3', ['ZREMRANGEBYRANK z -3 -1']],
  ['redis 5.0', 'ZPOPMAX z 3', undefined],
  ['redis 6.0', 'ZDIFFSTORE d 2 a b', ['EVAL <script> 3 d a b']],
  ['redis 6.0', 'ZRANGESTORE d z 0 -1', ['EVAL <script> 2 d z ZRANGE 0 -1 WITHSCORES']],
  [
    'redis 6.0',
    'ZRANGESTORE d z +inf 3 BYSCORE REV LIMIT 0 2',
    ['EVAL <script> 2 d z ZREVRANGEBYSCORE +inf 3 WITHSCORES LIMIT 0 2'],
  ],
  ['redis 6.0', 'ZRANGESTORE d z [a [c BYLEX', ['EVAL <script> 2 d z ZRANGEBYLEX [a [c']],
  [
    'redis 6.0',
    'GEOSEARCHSTORE d g FROMLONLAT 1 2 BYRADIUS 3 km ASC COUNT 5',
    ['DEL d', 'GEORADIUS g 1 2 3 km ASC COUNT 5 STORE d'],
  ],
  [
    'redis 6.0',
    'GEOSEARCHSTORE d g FROMMEMBER m BYRADIUS 3 km STOREDIST',
    ['DEL d', 'GEORADIUSBYMEMBER g m 3 km STOREDIST d'],
  ],
  ['redis 6.0', 'GEOSEARCHSTORE d g FROMMEMBER m BYBOX 3 4 km', ['(unsupported: Redis 6.2 or Valkey 7.2)']],
  [
    'redis 6.2',
    'GEOSEARCHSTORE d g FROMMEMBER m BYBOX 3 4 km',
    ['DEL d', 'GEOSEARCHSTORE d g FROMMEMBER m BYBOX 3 4 km'],
  ],
  ['redis 7.0', 'GEOSEARCHSTORE d g FROMMEMBER m BYBOX 3 4 km', undefined],
  ['redis 6.2', 'GEORADIUS g 1 2 3 km STORE d', ['DEL d', 'GEORADIUS g 1 2 3 km STORE d']],
  ['redis 6.2', 'GEORADIUS g 1 2 3 km STORE g', undefined],
  [
    'redis 6.0',
    'GEORADIUSBYMEMBER g m 3 km STOREDIST d',
    ['DEL d', 'GEORADIUSBYMEMBER g m 3 km STOREDIST d'],
  ],
  ['redis 7.0', 'GEORADIUS g 1 2 3 km STORE d', undefined],
  // Streams
  ['redis 5.0', 'XADD s 1-1 f v', undefined],
  ['redis 5.0', 'XADD s MAXLEN = 7 1-1 f v', undefined],
  ['redis 8.0', 'XADD s MAXLEN = 7 LIMIT 10 1-1 f v', ['XADD s MAXLEN = 7 1-1 f v']],
  ['redis 8.0', 'XADD s MAXLEN ~ 7 LIMIT 10 1-1 f v', undefined],
  ['redis 6.0', 'XADD s NOMKSTREAM 1-1 f v', ['XADD s 1-1 f v']],
  ['redis 6.0', 'XADD s MINID = 5-0 6-1 f v', ['XADD s 6-1 f v', 'EVAL <script> 1 s 4-18446744073709551615']],
  ['redis 6.2', 'XADD s MINID = 5-0 6-1 f v', undefined],
  ['redis 6.0', 'XTRIM s MINID 5-3', ['EVAL <script> 1 s 5-2']],
  ['redis 8.0', 'XTRIM s MAXLEN = 3 LIMIT 10', ['XTRIM s MAXLEN = 3']],
  ['redis 8.0', 'XADD s KEEPREF MAXLEN = 2 1-1 f v', ['XADD s MAXLEN = 2 1-1 f v']],
  ['redis 8.0', 'XADD s DELREF MAXLEN = 2 1-1 f v', ['(unsupported: Redis 8.2)']],
  ['redis 8.2', 'XADD s DELREF MAXLEN = 2 1-1 f v', undefined],
  ['redis 6.2', 'XGROUP SETID s g 1-1 ENTRIESREAD 3', ['XGROUP SETID s g 1-1']],
  ['redis 6.2', 'XGROUP CREATE s g $ MKSTREAM ENTRIESREAD 3', ['XGROUP CREATE s g $ MKSTREAM']],
  ['redis 7.0', 'XGROUP SETID s g 1-1 ENTRIESREAD 3', undefined],
  ['redis 6.0', 'XGROUP CREATECONSUMER s g c', ['XREADGROUP GROUP g c COUNT 1 STREAMS s 0']],
  ['redis 6.2', 'XGROUP CREATECONSUMER s g c', undefined],
  ['redis 6.2', 'XSETID s 5-1 ENTRIESADDED 7 MAXDELETEDID 2-1', ['XSETID s 5-1']],
  ['redis 8.0', 'XDELEX s KEEPREF IDS 2 1-1 1-2', ['XDEL s 1-1 1-2']],
  ['redis 8.0', 'XDELEX s IDS 1 1-1', ['XDEL s 1-1']],
  ['redis 8.0', 'XDELEX s ACKED IDS 1 1-1', ['(unsupported: Redis 8.2)']],
  ['redis 8.0', 'XACKDEL s g IDS 1 1-1', ['XACK s g 1-1', 'XDEL s 1-1']],
  ['redis 8.2', 'XACKDEL s g IDS 1 1-1', undefined],
  // Hash fields with an expiry
  ['redis 7.2', 'HPEXPIREAT h 123 FIELDS 1 f', ['(loses field-ttl)']],
  ['valkey 8.1', 'HPERSIST h FIELDS 1 f', []],
  ['redis 7.4', 'HPEXPIREAT h 123 FIELDS 1 f', undefined],
  ['valkey 9.0', 'HPEXPIREAT h 123 NX FIELDS 1 f', ['HPEXPIREAT h 123 FIELDS 1 f']],
  ['valkey 9.0', 'HPEXPIREAT h 123 NX FIELDS 2 f g', undefined],
  ['redis 8.0', 'HSETEX h FNX PXAT 123 FIELDS 1 f v', ['HSETEX h PXAT 123 FIELDS 1 f v']],
  ['redis 8.0', 'HSETEX h PXAT 123 FIELDS 1 f v', undefined],
  ['redis 7.4', 'HSETEX h PXAT 123 FIELDS 2 f v g w', ['HSET h f v g w', 'HPEXPIREAT h 123 FIELDS 2 f g']],
  ['redis 7.4', 'HSETEX h FXX KEEPTTL FIELDS 1 f v', ['EVAL <script> 1 h f v']],
  ['redis 7.4', 'HSETEX h FIELDS 1 f v', ['HSET h f v']],
  ['redis 7.0', 'HSETEX h KEEPTTL FIELDS 1 f v', ['HSET h f v']],
  ['redis 7.0', 'HSETEX h EX 100 FIELDS 1 f v', ['HSET h f v', '(loses field-ttl)']],
  ['redis 8.0', 'HGETDEL h FIELDS 2 f g', undefined],
  ['valkey 9.0', 'HGETDEL h FIELDS 2 f g', ['HDEL h f g']],
  // Functions
  ['redis 7.0', 'FUNCTION LOAD code', ['FUNCTION LOAD REPLACE code']],
  ['redis 7.0', 'FUNCTION LOAD REPLACE code', undefined],
  ['redis 6.2', 'FUNCTION LOAD code', ['(loses functions)']],
  ['redis 6.2', 'FUNCTION FLUSH', ['(loses functions)']],
  // Always known
  ['redis 2.8', 'APPEND k v', undefined],
  ['redis 2.8', 'HSETNX h f v', undefined],
];

describe('translating for', () => {
  for (const [target, command, expected] of CASES) {
    it(`${target}: ${command} → ${expected?.join(' | ') ?? 'as it is'}`, () => {
      expect(linesFor(target, command)).toEqual(expected);
    });
  }

  it('a target of unknown version: everything as it is, but for durations', () => {
    const unknown = factsOf('unknown');
    expect(unknown.version).toBeUndefined();
    const kinds = CASES.filter(([, , expected]) => expected === undefined).map(
      ([, command]) => translate(unknown, command.split(' ')).translation.kind,
    );
    expect(new Set(kinds)).toEqual(new Set(['forward']));
    expect(linesFor('unknown', 'SET k v EX 100')).toEqual([`SET k v PXAT ${IN_100_S}`]);
  });
});

describe('commands the target does not have', () => {
  const facts = factsOf('redis 7.0', { commands: new Set(['SET', 'DEL', 'HSET', 'LMOVE']) });

  it('are unsupported, whatever their name is', () => {
    for (const name of ['VADD', 'json.set', 'FLUSHSLOTS']) {
      expect(translate(facts, [name, 'k']).translation).toEqual({
        kind: 'unsupported',
        needs: 'the target (redis 7.0) does not know it',
      });
    }
  });

  it('are replaced where a rule knows how, and unsupported where the rule would send them as they are', () => {
    expect(translate(facts, ['GETDEL', 'k']).translation.kind).toBe('commands');
    // The version would have it, but it was renamed or disabled there.
    expect(translate(facts, ['UNLINK', 'k']).translation.kind).toBe('commands');
    expect(translate(facts, ['XADD', 's', '1-1', 'f', 'v']).translation.kind).toBe('unsupported');
  });

  it('are not those that come under another name', () => {
    for (const name of ['SETNX', 'HSETNX', 'MSETNX', 'RENAMENX']) {
      expect(translate(facts, [name, 'a', 'b', 'c']).translation.kind).toBe('forward');
    }
  });

  it('are known in any case', () => {
    expect(translate(facts, ['hset', 'h', 'f', 'v']).translation.kind).toBe('forward');
  });
});

describe('idBefore', () => {
  it.each([
    ['5-3', '5-2'],
    ['5-0', '4-18446744073709551615'],
    ['5', '4-18446744073709551615'],
    ['0-1', '0-0'],
    ['0-0', undefined],
  ])('%s → %s', (id, before) => {
    expect(idBefore(id)).toBe(before);
  });
});
