/** Function libraries (7.0). Their effects on data are in the stream as plain commands, so a target without them lacks no data. */
import { ValueCursor } from '../../rdb/value-cursor.ts';
import { DUMP_FOOTER_BYTES } from '../../rdb/dump-payload.ts';
import { OPCODE } from '../../rdb/format.ts';
import type { Argument } from '../../resp/encode.ts';
import type { CommandWords } from './command-words.ts';
import { FORWARD, instead, type Rule, type TargetForms, type Translation } from './translation.ts';

function translateFunction(command: CommandWords, forms: TargetForms): Translation {
  if (!forms.has('FUNCTION', { redis: '7.0', valkey: '7.2' })) return { kind: 'nothing', loss: 'functions' };
  switch (command.upper(1)) {
    case 'LOAD':
      // The library did not exist at the source; here it may, from an earlier full sync.
      return command.upper(2) === 'REPLACE'
        ? FORWARD
        : instead(['FUNCTION', 'LOAD', 'REPLACE', ...command.slice(2)]);
    case 'RESTORE':
      return translateRestore(command, forms);
    default:
      return FORWARD;
  }
}

/**
 * FUNCTION RESTORE payload [FLUSH|APPEND|REPLACE]. The payload is FUNCTION2 records and the footer of a DUMP payload; a
 * target that does not know its version gets the libraries one by one.
 */
function translateRestore(command: CommandWords, { facts }: TargetForms): Translation {
  const payload = command.at(2);
  const end = payload.length - DUMP_FOOTER_BYTES;
  if (end < 0) return FORWARD;
  const accepted = facts.payloadVersions;
  if (accepted === undefined || accepted.has(payload.readUInt16LE(end))) return FORWARD;
  const commands: Argument[][] = command.upper(3) === 'FLUSH' ? [['FUNCTION', 'FLUSH']] : [];
  const cursor = new ValueCursor(payload.subarray(0, end), 'a payload of functions');
  while (cursor.at < cursor.end) {
    if (cursor.byte() !== OPCODE.FUNCTION2) return FORWARD;
    commands.push(['FUNCTION', 'LOAD', 'REPLACE', cursor.string()]);
  }
  return instead(...commands);
}

export const FUNCTION_RULES: Readonly<Record<string, Rule>> = {
  FUNCTION: { translate: translateFunction },
};
