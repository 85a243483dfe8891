/** Rows of the catalogue that are not rehearsed here, each with the reason: nobody is to believe that they were. */
import type { DeclaredScenario } from './scenario.ts';

export const DECLARED: readonly DeclaredScenario[] = [
  {
    name: 'target-preloaded',
    row: 'dst.preloaded',
    statements: ['S0-45'],
    summary: 'The target has keys when the link begins.',
    unavailable: 'Only sources are seeded; tests of prechecks and engine cover it.',
  },
  {
    name: 'arch-change',
    row: 'arch.change',
    statements: [],
    summary: 'A standalone comes back as a node of a cluster.',
    unavailable: 'A provisioned instance cannot change its kind within a run.',
  },
  {
    name: 'eval-verbatim',
    row: 'eval.verbatim',
    statements: ['S0-29'],
    summary: 'An old source sends scripts as text.',
    unavailable: 'It needs a source before 7.0 with lua-replicate-commands no.',
  },
  {
    name: 'ttl-drift',
    row: 'ttl.drift',
    statements: ['S0-26'],
    summary: 'An old source sends relative expiries.',
    unavailable: 'It needs a source before 7.0; the version matrix of the tests covers it.',
  },
  {
    name: 'version-downgrade',
    row: 'version.downgrade / rdb.newer',
    statements: ['S0-2', 'S2-20'],
    summary: 'The target is older than the source.',
    unavailable: 'It needs servers of two versions; the version matrix of the tests covers it.',
  },
  {
    name: 'unknown-command',
    row: 'unknown.command',
    statements: ['S2-20'],
    summary: 'The source knows commands that the target does not.',
    unavailable: 'It needs servers of two versions; the version matrix of the tests covers it.',
  },
  {
    name: 'loop-echo',
    row: 'loop.naive / loop.noop',
    statements: ['S0-24'],
    summary: 'A change comes back to where it started.',
    unavailable:
      'The origin marker cannot be switched off; rings and pairs are compared by every rehearsal of theirs (LOOP_ECHO).',
  },
  {
    name: 'objects-modify',
    row: 'objects.modify',
    statements: ['S2-28d'],
    summary: 'Databases are added to and taken from a running link.',
    unavailable: 'The objects of a running link cannot be modified.',
  },
  {
    name: 'readonly-source',
    row: 'readonly.source',
    statements: ['S1-11', 'S2-5'],
    summary: 'The source is a replica.',
    unavailable: 'Links read primaries; a provisioned instance has one.',
  },
  {
    name: 'bind-wrong',
    row: 'bind.wrong',
    statements: ['S0-41', 'S1-9'],
    summary: 'The server does not listen where it is looked for.',
    unavailable:
      'The start is refused before there is anything to rehearse; tests of the prechecks cover it.',
  },
  {
    name: 'protected-mode',
    row: 'protected.mode',
    statements: ['S0-41', 'S1-9'],
    summary: 'The server refuses connections from outside.',
    unavailable: 'Everything here is on loopback.',
  },
  {
    name: 'tls-mismatch',
    row: 'tls13.only / tls.mismatch',
    statements: ['S1-36', 'S2-29'],
    summary: 'The two sides do not agree about TLS.',
    unavailable:
      'The first connection is refused, before there is anything to rehearse; tests of the engine and of runs cover it. What happens later is tls-expire-source and tls-expire-target.',
  },
  {
    name: 'gdc-sibling-write',
    row: 'gdc.sibling-write',
    statements: ['S2-14'],
    summary: 'A sibling of a distributed instance writes.',
    unavailable: 'A property of a cloud product: there is none here.',
  },
  {
    name: 'rwsplit-stale-read',
    row: 'rwsplit.stale-read',
    statements: ['S0-5'],
    summary: 'A read-write-splitting proxy answers from a replica that is behind.',
    unavailable: 'A property of a cloud product: there is none here.',
  },
  {
    name: 'proxy-restart',
    row: 'proxy.restart / proxy.cut',
    statements: ['S0-15'],
    summary: 'The proxy of a target restarts.',
    unavailable: 'A property of a cloud product; net-cut has the same effect on a link.',
  },
  {
    name: 'verify-under-write',
    row: 'verify.under-write',
    statements: ['S1-45'],
    summary: 'Clients write while everything is compared.',
    unavailable: 'A rehearsal stops its writers first; redis-sync compare looks at live endpoints.',
  },
];
