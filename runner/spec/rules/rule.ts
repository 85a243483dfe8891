/** What the schema cannot say. A rule looks at a draft and reports; the draft may have holes, so it takes nothing for granted. */
import { isExisting } from '../../plan/existing.ts';
import type { Part, Path } from '../document.ts';
import type { SpecDraft } from '../draft.ts';
import type { Environment } from '../interpolation.ts';
import type { SpecRegistries } from '../registries.ts';
import { didYouMean } from '../suggest.ts';
import type { Wording } from '../yaml-problems.ts';
import type { Flow } from './flows.ts';

export interface RuleContext {
  readonly spec: SpecDraft;
  /** All instance names, those with mistakes inside included. */
  readonly instanceNames: readonly string[];
  /** The links whose two ends are known instances. */
  readonly flows: readonly Flow[];
  /** These are all; otherwise nothing can be said about what is not among them. */
  readonly areFlowsComplete: boolean;
  readonly registries: SpecRegistries;
  readonly env: Environment;
  /** The spec's own folder: file names in it are relative to it. */
  readonly folder: string;
  readonly report: (path: Path, part: Part, wording: Wording) => void;
}

export type Rule = (context: RuleContext) => void;

/** Reports a name that is no instance. True when it is one. */
export function checkInstanceName(context: RuleContext, name: string | undefined, path: Path): boolean {
  if (name === undefined) return false;
  if (context.instanceNames.includes(name)) return true;
  context.report(path, 'value', {
    message: `there is no instance "${name}"${didYouMean(name, context.instanceNames)}`,
    expected: namesOf(context.instanceNames),
  });
  return false;
}

/** Reports a name that is no link. */
export function checkLinkId(context: RuleContext, id: string | undefined, path: Path): void {
  const ids = context.flows.map((flow) => flow.id);
  if (id === undefined || !context.areFlowsComplete || ids.includes(id)) return;
  context.report(path, 'value', {
    message: `there is no link "${id}"${didYouMean(id, ids)}`,
    expected: namesOf(ids),
  });
}

/** Provisioned, or expressly disposable: data, workload and faults may touch it. */
export function isTouchable(context: RuleContext, instance: string): boolean {
  const declared = context.spec.instances?.[instance];
  return declared === undefined || !isExisting(declared) || declared.disposable === true;
}

export function namesOf(all: readonly string[]): string {
  const names = [...new Set(all)];
  return names.length === 1 ? (names[0] ?? '') : `one of ${names.join(', ')}`;
}
