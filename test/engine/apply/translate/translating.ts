/** Translates commands for targets of given versions. Test support only. */
import { Losses, type LossKind } from '../../../../engine/apply/rebuild/losses.ts';
import { parseVersion, UNKNOWN_TARGET, type TargetFacts } from '../../../../engine/apply/target-facts.ts';
import { CommandTranslator } from '../../../../engine/apply/translate/command-translator.ts';
import type { Translation } from '../../../../engine/apply/translate/translation.ts';
import { CommandFramer } from '../../../../engine/resp/command-framer.ts';
import { encodeCommand, type Argument } from '../../../../engine/resp/encode.ts';

/** What the clock of the source says. */
export const NOW_MS = 1_700_000_000_000;

/** Facts of a target that was not asked for its commands. */
export function factsOf(server: string, more: Partial<TargetFacts> = {}): TargetFacts {
  const [family, version = ''] = server.split(' ');
  return {
    ...UNKNOWN_TARGET,
    server,
    family: family === 'valkey' ? 'valkey' : 'redis',
    version: parseVersion(version),
    ...more,
  };
}

export interface Translated {
  translation: Translation;
  lost: LossKind[];
}

export function translate(facts: TargetFacts, command: readonly Argument[]): Translated {
  const lost: LossKind[] = [];
  const losses = new Losses({ onFinding: () => undefined, onCount: (kind) => lost.push(kind) });
  const translator = new CommandTranslator({ facts, losses, sourceTimeMs: () => NOW_MS });
  let translation: Translation = { kind: 'nothing' };
  new CommandFramer((frame) => {
    const isRestore = String(command[0]).toUpperCase().startsWith('RESTORE');
    translation = isRestore ? translator.translateRestore(frame) : translator.translate(frame);
  }).push(encodeCommand(command));
  return { translation, lost };
}

/** The commands sent instead, as lines; undefined when the command is forwarded. Scripts are shortened to `<script>`. */
export function linesFor(server: string, line: string): string[] | undefined {
  const { translation, lost } = translate(factsOf(server), line.split(' '));
  switch (translation.kind) {
    case 'forward':
      return undefined;
    case 'commands': {
      const loss = translation.loss === undefined ? [] : [`(loses ${translation.loss})`];
      return [...translation.commands.map(asLine), ...lost, ...loss];
    }
    case 'encoded':
      return [`${translation.count} encoded`];
    case 'nothing':
      return translation.loss === undefined ? [] : [`(loses ${translation.loss})`];
    case 'unsupported':
      return [`(unsupported: ${translation.needs})`];
    default:
      return translation satisfies never;
  }
}

function asLine(words: readonly Argument[]): string {
  return words.map((word) => (String(word).includes('redis.call') ? '<script>' : String(word))).join(' ');
}
