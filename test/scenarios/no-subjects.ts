/** For faults and timelines that touch nothing. */
import { SyncError } from '../../engine/errors.ts';
import type { Subjects } from '../../scenarios/faults/subjects.ts';

function nothing(where: string): never {
  throw new SyncError('SPEC_INVALID', `There is no ${where} in this test.`);
}

export const NO_SUBJECTS: Subjects = {
  aim: nothing,
  instance: nothing,
  linksOf: () => [],
  holdCodisSlots: () => Promise.resolve(),
  moveCodisSlot: () => undefined,
  relocate: () => undefined,
};
