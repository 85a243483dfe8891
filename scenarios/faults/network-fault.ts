/** What all faults of the network have in common: a toxic on the way between a link and its servers, seen to bite, taken away. */
import type { GateControl } from '../proxy/gate-control.ts';
import type { Stream, ToxicEffect, ToxicKind } from '../proxy/toxic.ts';
import { aimedSides } from './aim.ts';
import { awaitEvidence, EFFECT_LIMIT_MS } from './evidence.ts';
import type { FaultContext, FaultDefinition, FaultOutcome } from './fault.ts';
import { choiceOf, Parameters, settings } from './parameters.ts';

export interface NetworkFault {
  name: string;
  summary: string;
  /** Schema of its own settings. */
  properties: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Default: none. Loss is the target's: what the link does not get. */
  dataLoss?: FaultDefinition['dataLoss'];
  /** Which directions unless the spec says; default both. */
  stream?: Stream;
  /** Its direction may be chosen. Default true. */
  isDirected?: boolean;
  toxic: (parameters: Parameters) => ToxicKind;
  /** Default: bytes were touched, dropped, or connections ended. */
  hasBitten?: (effect: ToxicEffect) => boolean;
}

const DIRECTIONS = ['both', 'upstream', 'downstream'] as const;

export function networkFault(fault: NetworkFault): FaultDefinition {
  const { name, summary, properties, stream, isDirected = true } = fault;
  const direction = choiceOf(
    'Which bytes: upstream is from the engine to the server, downstream from the server to the engine.',
    DIRECTIONS,
    stream ?? 'both',
  );
  return {
    name,
    summary,
    requires: ['proxy'],
    aims: 'side',
    schema: settings(isDirected ? { ...properties, stream: direction } : properties),
    reversible: true,
    dataLoss: fault.dataLoss ?? 'none',
    prepare(context) {
      const parameters = new Parameters(context);
      const toxic = {
        ...fault.toxic(parameters),
        name: `${context.step}-${context.firing}`,
        streams: streamsOf(isDirected ? parameters.choice('stream', DIRECTIONS, stream ?? 'both') : 'both'),
      };
      const gates = aimedSides(context).map(({ gate }) => gate);
      return {
        async inject() {
          for (const gate of gates) await gate.add(toxic);
          context.goOn();
          return observe(context, gates, toxic.name, fault.hasBitten ?? hasTouched);
        },
        async heal() {
          for (const gate of gates) await gate.remove(toxic.name);
        },
      };
    },
  };
}

function streamsOf(direction: (typeof DIRECTIONS)[number]): Stream[] {
  return direction === 'both' ? ['upstream', 'downstream'] : [direction];
}

function hasTouched(effect: ToxicEffect): boolean {
  return effect.bytes > 0 || effect.droppedBytes > 0 || effect.ended > 0;
}

async function observe(
  context: FaultContext,
  gates: readonly GateControl[],
  toxic: string,
  hasBitten: (effect: ToxicEffect) => boolean,
): Promise<FaultOutcome> {
  const seen = await awaitEvidence(context, async () => {
    const statuses = await Promise.all(gates.map(async (gate) => ({ gate, status: await gate.status() })));
    const bitten = statuses.flatMap(({ gate, status }) => {
      const effect = status.effects[toxic];
      return effect !== undefined && hasBitten(effect) ? [{ gate: gate.name, ...effect }] : [];
    });
    return bitten.length > 0 ? bitten : null;
  });
  if (seen !== null) return { effective: true, evidence: { through: seen } };
  return {
    effective: false,
    reason: `nothing came through the proxy that it could work on in ${EFFECT_LIMIT_MS / 1000} s`,
    evidence: { gates: gates.map((gate) => gate.name) },
  };
}
