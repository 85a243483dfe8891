import { describe, expect, it } from 'vitest';
import { chooseScenarios } from '../../../runner/run/scenarios.ts';

function namesOf(written: string): string[] {
  return chooseScenarios(written.split(',')).map(({ scenario }) => scenario.name);
}

describe('the scenarios of --scenario', () => {
  it('are those named, each once, in the order they are written', () => {
    expect(namesOf('oom-target, flush-source,oom-target')).toEqual(['oom-target', 'flush-source']);
  });

  it('are all that begin with a name that is none', () => {
    expect(namesOf('endpoint-move,crossslot')).toEqual([
      'endpoint-move-source',
      'endpoint-move-target',
      'crossslot-write',
    ]);
  });

  it('may happen to a link that is named', () => {
    const chosen = chooseScenarios(['publish', 'publish@east', 'publish@east']);
    expect(chosen.map(({ link }) => link)).toEqual([undefined, 'east']);
  });

  it('are not those that only begin with the same letters', () => {
    expect(namesOf('failover-source')).toEqual(['failover-source']);
    expect(() => chooseScenarios(['endpoint-mov'])).toThrow(/There is no scenario "endpoint-mov"/);
  });
});
