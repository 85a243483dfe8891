/** Ranges of Codis slots as they are written: `0-511`, `512`. */
import { list, type JsonSchema } from '../../spec/schema/piece.ts';
import type { SlotRange } from '../plan.ts';

const RANGE = /^(\d{1,4})(?:-(\d{1,4}))?$/;

export const codisSlotsSchema: JsonSchema = list('Ranges of Codis slots: 0-511, or 512.', {
  type: ['string', 'integer'],
  pattern: '^[0-9]{1,4}(-[0-9]{1,4})?$',
  rule: 'a range of slots such as 0-511, or one slot',
});

/** First and last slot, or undefined when it is no range. Whether the slots exist is for the rules to say. */
export function parseSlotRange(text: string): SlotRange | undefined {
  const [, first, last = first] = RANGE.exec(text) ?? [];
  return first === undefined || last === undefined ? undefined : [Number(first), Number(last)];
}

/** Those of a list that are ranges; undefined entries are left out. */
export function parseSlotRanges(written: readonly unknown[]): SlotRange[] {
  const ranges = written.map((text) => parseSlotRange(String(text)));
  return ranges.filter((range) => range !== undefined);
}

export function formatSlotRange([first, last]: SlotRange): string {
  return first === last ? String(first) : `${first}-${last}`;
}
