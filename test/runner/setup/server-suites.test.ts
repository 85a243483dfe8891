import { describe, expect, it } from 'vitest';
import {
  aptOptions,
  dependsArguments,
  librariesAmong,
  sourcesList,
  SUITES,
  versionOf,
  wrapperScript,
} from '../../../runner/setup/server-suites.mjs';

describe('servers of other suites', () => {
  it('are told by what they print', () => {
    expect(
      versionOf(
        'Redis server v=6.0.16 sha=00000000:0 malloc=jemalloc-5.2.1 bits=64 build=a3fdef44459b3ad6\n',
      ),
    ).toBe('redis 6.0.16');
    expect(versionOf('Valkey server v=9.1.2 sha=00000000:0 malloc=jemalloc-5.3.1 bits=64\n')).toBe(
      'valkey 9.1.2',
    );
    expect(versionOf('sh: not found')).toBeUndefined();
  });

  it('are wanted once per release', () => {
    const releases = SUITES.flatMap(({ servers }) => servers.map(({ release }) => release));
    expect(new Set(releases).size).toBe(releases.length);
    expect(releases.every((release) => /^(redis|valkey) \d+\./.test(release))).toBe(true);
  });

  it('need libraries, not what packages need to be installed', () => {
    const output = `redis-tools
  Depends: libc6
  Depends: <libjemalloc.so>
 |Depends: lua5.1
libc6
libgcc-s1
lua-cjson
libc6
  Depends: init-system-helpers
zlib1g
adduser
perl-base
<default-mta>
`;
    expect(librariesAmong(output)).toEqual(['libc6', 'libgcc-s1', 'lua-cjson', 'zlib1g']);
    expect(dependsArguments('redis-tools')).toContain('--no-recommends');
  });

  it('come with an apt that leaves the lists of the machine alone', () => {
    const options = aptOptions('/folder').join(' ');
    expect(options).toContain('Dir::State::lists=/folder/lists');
    expect(options).toContain('Dir::Etc::sourceparts=/dev/null');
    expect(sourcesList('http://mirror', 'sid')).toMatch(/^deb \[signed-by=.*] http:\/\/mirror sid main\n$/);
  });

  it('start through the loader and the libraries they were built with', () => {
    const script = wrapperScript({
      loader: '/r/ld.so',
      libraryFolders: ['/r/a', '/r/b'],
      program: '/r/redis-server',
    });
    expect(script).toBe(`#!/bin/sh\nexec '/r/ld.so' --library-path '/r/a:/r/b' '/r/redis-server' "$@"\n`);
  });
});
