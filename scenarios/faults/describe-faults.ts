/** The table of faults as a page of the documentation. Pure. */
import type { FaultDefinition } from './fault.ts';

const WHERE: Readonly<Record<FaultDefinition['aims'], string>> = {
  instance: 'an instance, or one node of it',
  link: 'a link',
  side: 'a link, or one side of it',
  any: 'anything',
};

const LOSS: Readonly<Record<FaultDefinition['dataLoss'], string>> = {
  none: 'none',
  source: 'writes the source had confirmed',
  target: 'data on the target',
};

/** docs/faults.md. */
export function describeFaults(faults: readonly FaultDefinition[]): string {
  const rows = faults.map((fault) => {
    const { name, summary, aims, requires, reversible, dataLoss } = fault;
    const cells = [
      `\`${name}\``,
      summary,
      WHERE[aims],
      requires.join(', ') || '–',
      settingsOf(fault),
      reversible ? 'yes' : 'no',
      LOSS[dataLoss],
    ];
    return `| ${cells.map((cell) => cell.replaceAll('|', String.raw`\|`)).join(' | ')} |`;
  });
  return `${HEAD}${rows.join('\n')}\n${NOT_HERE}`;
}

const HEAD = `# Faults

What a step of a spec's \`timeline:\` can do. Generated from the registry (\`npm run generate\`); CONTRIBUTING.md shows how to add one.

* **Where**: \`source\`, \`source.primary\`, \`source.replica(0)\`, \`link:NAME\`, \`link:NAME.source\`, \`link:NAME.target\`; resolved when the step fires.
* **Needs**: an instance that cannot have a fault makes the spec invalid, with what would help. \`kill\`, \`pause\`, \`restart\` and \`debug\` are there for
  servers that redis-sync started, \`tls\` where they have \`tls: true\`, \`clock\` where they are processes of this machine
  and libfaketime is installed (\`apt-get install libfaketime\`; a server that no step aims at runs without it), \`config\` and \`write\` also for a \`disposable\` endpoint, \`proxy\` and \`engine\` for every link.
* **Healed**: after \`for\`, before the next \`every\`, when the run settles, and on Ctrl-C. A network fault that lost bytes heals with a reset.
* **The proxy** of the network faults stands only on the ways that a step aims at. Measured on loopback on a two-core machine, it adds about
  0.4 s of CPU per GB and 15 µs to a round trip.
* **May explain**: the loss that does not count against the engine.

A step that never fired, or whose fault left no evidence, makes the verdict \`unknown\` unless it says \`optional: true\`.

| fault | what happens | where | needs | settings | healed | may explain |
|---|---|---|---|---|---|---|
`;

const NOT_HERE = `
## What is not here

* **A clock that is wrong**: a server takes its time from the machine, and libfaketime would have to be loaded when it starts, which a step
  cannot do to a running one. The engine measures how far the clocks of both sides are apart; its tests give it clocks that differ.
* **Certificates that are wrong from the start** (of another authority, for another name, TLS on one side only): a rehearsal would not begin.
  Tests of the engine refuse them; \`tls-expire\` is the one that runs out.
* **A name that resolves to another address**: a link asks where its server is before every connect; \`endpoint-move\` and \`failover\` rehearse
  that with addresses, lists of addresses and Sentinels, and a name is resolved at the same place.
* **A full disk**: \`bgsave-fail\` has the effect on the server; filling a disk would hit everybody on the machine.
`;

function settingsOf({ schema }: FaultDefinition): string {
  const { properties } = schema;
  if (typeof properties !== 'object' || properties === null)
    return schema['oneOf'] === undefined ? '–' : 'see the schema';
  const names = Object.entries(properties).map(([name, setting]) => {
    const standard: unknown =
      typeof setting === 'object' && setting !== null && 'default' in setting ? setting.default : undefined;
    return standard === undefined
      ? `\`${name}\``
      : `\`${name}: ${JSON.stringify(standard).replaceAll('"', '')}\``;
  });
  return names.join(', ') || '–';
}
