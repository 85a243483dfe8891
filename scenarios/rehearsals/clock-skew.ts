/** The clocks of both sides differ: one of them is moved while clients write keys that expire. */
import { survives, type Scenario, type ScenarioSubject, type SpecPiece } from './scenario.ts';

/** Longer than between two looks of the engine at a target's clock. */
const SKEWED = '6500ms';

/** Keys of `name` that expire soon, far, and never, after the clock was moved; `soon` is renewed, which must not come too late. */
function writes({ sourceNode, keyPrefix }: ScenarioSubject): SpecPiece[] {
  const key = (name: string): string => `${keyPrefix}skew:${name}`;
  const commands = [
    `SET ${key('soon')} still-here PX 4000`,
    `SET ${key('counter')} 41 PX 4000`,
    `INCR ${key('counter')}`,
    `SET ${key('far')} still-here EX 900`,
    `SET ${key('gone')} over PX 500`,
  ];
  const renewals = [`PEXPIRE ${key('soon')} 900000`, `PERSIST ${key('counter')}`];
  const step = { fault: 'script', where: sourceNode, after: 'skew' };
  return [
    { ...step, id: 'soon', with: { commands }, delay: '500ms' },
    { ...step, id: 'renewed', with: { commands: renewals }, after: 'soon', delay: '2s' },
  ];
}

function skewed(subject: ScenarioSubject, where: string, by: string): SpecPiece[] {
  return [
    { id: 'skew', fault: 'clock-skew', where, with: { by }, when: 'incremental', for: SKEWED },
    ...writes(subject),
  ];
}

export const clockSkew: Scenario = {
  name: 'clock-skew',
  summary: 'The clocks of both sides differ.',
  row: 'clock.skew',
  statements: ['S0-44'],
  variants: [
    {
      name: 'default',
      expects:
        'The target’s clock is half a minute ahead, which is told; keys that expire sooner are kept there until the source has had its last word.',
      rehearse: (subject) => ({
        change: {
          incremental: '8s',
          timeline: skewed(subject, nodeOf(subject.target, subject.targetKind), '30s'),
        },
        outcome: survives('CLOCK_SKEW'),
      }),
    },
    {
      name: 'behind',
      expects:
        'The target’s clock is half a minute behind, which is told; what the source expires is deleted there.',
      rehearse: (subject) => ({
        change: {
          incremental: '8s',
          timeline: skewed(subject, nodeOf(subject.target, subject.targetKind), '-30s'),
        },
        outcome: survives('CLOCK_SKEW'),
      }),
    },
    {
      name: 'source',
      expects:
        'The source’s clock is half a minute behind, so that new deadlines are over by the target’s: they are kept all the same.',
      rehearse: (subject) => ({
        change: { incremental: '8s', timeline: skewed(subject, subject.sourceNode, '-30s') },
        outcome: survives('CLOCK_SKEW'),
      }),
    },
    {
      name: 'far',
      expects:
        'The target’s clock jumps over the end of keys that were far from it when they were written: it expires them at once, which is told, and they are missing. In a circle the deletes go round: they are gone everywhere.',
      rehearse: (subject) => {
        const { sourceNode, keyPrefix, target, targetKind, isCircle } = subject;
        const commands = [1, 2, 3].map((number) => `SET ${keyPrefix}skew:${number} still-here EX 90`);
        return {
          change: {
            incremental: '8s',
            timeline: [
              { id: 'written', fault: 'script', where: sourceNode, with: { commands }, when: 'incremental' },
              {
                fault: 'clock-skew',
                where: nodeOf(target, targetKind),
                with: { by: '2m' },
                after: 'written',
                delay: '1s',
                for: SKEWED,
              },
            ],
          },
          outcome: isCircle
            ? survives('CLOCK_SKEW', 'EXPIRY_AT_RISK')
            : {
                verdict: ['fail'],
                link: 'in-sync',
                findings: ['CLOCK_SKEW', 'EXPIRY_AT_RISK'],
                differences: ['MISSING_KEY'],
              },
        };
      },
    },
  ],
};

function nodeOf(instance: string, kind: string): string {
  return kind === 'cluster' ? `${instance}.shard(0)` : instance;
}
