/** Small parsers of the spec: suggestions, redaction, references to the environment, urls, addresses. */
import { describe, expect, test } from 'vitest';
import { parseAddress } from '../../../runner/spec/address.ts';
import { parseEndpointUrl } from '../../../runner/spec/endpoint-url.ts';
import { resolveText } from '../../../runner/spec/interpolation.ts';
import { redactLine, redactUrl } from '../../../runner/spec/redaction.ts';
import { parseSecretReference } from '../../../runner/spec/secrets.ts';
import { didYouMean, editDistance, nearest } from '../../../runner/spec/suggest.ts';

describe('did you mean', () => {
  test('distance counts inserted, deleted, replaced and swapped letters', () => {
    expect(editDistance('source', 'source')).toBe(0);
    expect(editDistance('sorce', 'source')).toBe(1);
    expect(editDistance('soruce', 'source')).toBe(1);
    expect(editDistance('', 'abc')).toBe(3);
  });

  test('suggests the nearest that is near enough', () => {
    expect(nearest('tagret', ['source', 'target'])).toBe('target');
    expect(nearest('SOURCE', ['source', 'target'])).toBe('source');
    expect(nearest('whatever', ['source', 'target'])).toBeUndefined();
    expect(nearest('b', ['a', 'c'])).toBeUndefined();
    expect(didYouMean('a', ['a'])).toBe('');
  });
});

describe('secrets in a line are hidden', () => {
  test.each([
    ['password: hunter2', 'password: ***'],
    ['    pasword: "hunter2"   # mine', '    pasword: ***'],
    ['password: hun,ter}2 # x', 'password: ***'],
    ['{"password":"hunter2","a":1}', '{"password":***,"a":1}'],
    ['  a: { url: x, password: hunter2, replicas: 1 }', '  a: { url: x, password: ***, replicas: 1 }'],
    ["config: { requirepass: 'x y', port: 1 }", 'config: { requirepass: ***, port: 1 }'],
    ['url: redis://u:hunter2@h:1', 'url: redis://u:***@h:1'],
    ['password: ${NAME}', 'password: ${NAME}'],
    ['password: ${NAME:-hunter2}', 'password: ***'],
    ['passwordFile: /run/secret', 'passwordFile: /run/secret'],
    ['password: "unclosed hunter2', 'password: ***'],
    ['name: pass', 'name: pass'],
  ])('%j', (line, expected) => expect(redactLine(line, 0).text).toBe(expected));

  test('a position behind a hidden value moves with it; one inside becomes its beginning', () => {
    const line = '{ password: hunter2, replicas: two }';
    const shown = redactLine(line, line.indexOf('two'));
    expect(shown.text.slice(shown.position)).toBe('two }');
    expect(redactLine(line, line.indexOf('ter2')).position).toBe(line.indexOf('hunter2'));
    expect(redactLine(line, 2).position).toBe(2);
  });

  test('a url', () => expect(redactUrl('rediss://u:p%40@h:6379')).toBe('rediss://u:***@h:6379'));
});

describe('references to the environment', () => {
  const env = { A: '1', EMPTY: '' };
  test.each([
    ['${A}', '1'],
    ['x${A}y${A}', 'x1y1'],
    ['${EMPTY}', ''],
    ['${EMPTY:-d}', 'd'],
    ['${NONE:-d}', 'd'],
    ['${NONE:-}', ''],
    ['${A:?why}', '1'],
    ['$${A}', '${A}'],
    ['$A costs $1', '$A costs $1'],
  ])('%s', (text, expected) => expect(resolveText(text, env)).toEqual({ text: expected }));

  test.each([
    ['${NONE}', 'the environment variable NONE is not set'],
    ['${NONE:?ask ops}', 'the environment variable NONE is not set: ask ops'],
    ['${EMPTY:?}', 'the environment variable EMPTY is not set'],
    ['${1X}', '"${1X}" is not a reference to an environment variable'],
    ['${A', '"${A" is not a reference to an environment variable'],
    ['${A-x}', '"${A-x}" is not a reference to an environment variable'],
  ])('%s fails', (text, failure) =>
    expect(resolveText(text, env)).toMatchObject({ failure: { message: failure } }),
  );
});

describe('passwords', () => {
  test('are references', () => {
    expect(parseSecretReference('${P}')).toEqual({ kind: 'ok', value: { variable: 'P' } });
    expect(parseSecretReference('${P:?ask ops}')).toEqual({
      kind: 'ok',
      value: { variable: 'P', message: 'ask ops' },
    });
  });

  test.each(['hunter2', 'x${P}', '${P:-hunter2}', '${P}${Q}', ''])(
    '%j is refused without being quoted',
    (text) => {
      const parsed = parseSecretReference(text);
      expect(parsed.kind).toBe('bad');
      expect(JSON.stringify(parsed)).not.toContain('hunter2');
    },
  );
});

describe('urls', () => {
  test.each([
    ['redis://h', { host: 'h', port: 6379, tls: false }],
    ['redis://h:7000/', { host: 'h', port: 7000, tls: false }],
    ['rediss://u@h:7000', { host: 'h', port: 7000, tls: true, username: 'u' }],
    ['redis://a%40b@h', { host: 'h', port: 6379, tls: false, username: 'a@b' }],
    ['redis://[::1]:7000', { host: '::1', port: 7000, tls: false }],
    ['REDIS://10.0.0.5', { host: '10.0.0.5', port: 6379, tls: false }],
  ])('%s', (url, value) => expect(parseEndpointUrl(url)).toEqual({ kind: 'ok', value }));

  test.each([
    ['redis://u:hunter2@h', 'there is a password in it'],
    ['redis://:hunter2@h', 'there is a password in it'],
    ['http://h', 'it does not begin with redis:// or rediss://'],
    ['h:6379', 'it does not begin with redis:// or rediss://'],
    ['redis://', 'it has no host'],
    ['redis://h:99999', '99999 is not a port'],
    ['redis://h:1/3', 'something follows the port; a link always takes every database'],
  ])('%s is refused', (url, reason) => {
    const parsed = parseEndpointUrl(url);
    expect(parsed).toMatchObject({ kind: 'bad', reason });
    expect(JSON.stringify(parsed)).not.toContain('hunter2');
  });
});

describe('addresses of steps', () => {
  test.each([
    ['source', { kind: 'instance', instance: 'source', role: 'primary' }],
    ['group-1.primary', { kind: 'instance', instance: 'group-1', role: 'primary' }],
    ['a.replica(2)', { kind: 'instance', instance: 'a', role: 'replica', index: 2 }],
    ['link:forward', { kind: 'link', link: 'forward' }],
    ['link:forward.source', { kind: 'link', link: 'forward', side: 'source' }],
    ['c.shard(2)', { kind: 'instance', instance: 'c', shard: 2, role: 'primary' }],
    ['c.shard(2).replica(1)', { kind: 'instance', instance: 'c', shard: 2, role: 'replica', index: 1 }],
  ])('%s', (text, value) => expect(parseAddress(text)).toEqual({ kind: 'ok', value }));

  test.each(['a.replica', 'a.replica(x)', 'a b', 'link:', '', 'a.master'])('%j is refused', (text) =>
    expect(parseAddress(text).kind).toBe('bad'),
  );
});
