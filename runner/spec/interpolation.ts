/**
 * Environment variables in the texts of a spec, as in Compose but strict: `${NAME}` must be set, `${NAME:-default}` has
 * a fallback for unset and empty, `${NAME:?message}` must be set and not empty. `$${` writes a plain `${`. Passwords are
 * left alone: they stay references until a connection is made.
 */
import { isPair, isScalar, visit, type Node } from 'yaml';
import type { SpecDocument } from './document.ts';
import { isSecretKey } from './redaction.ts';
import type { Wording } from './yaml-problems.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Interpolation {
  /** Texts that came from the environment: what is a number there may stand where a number is wanted. */
  replaced: ReadonlySet<Node>;
  /** Texts with a reference that cannot be resolved; their value is meaningless. */
  failed: ReadonlyMap<Node, Wording>;
}

const STORED_SECRET: Wording = {
  message: 'a secret from the environment would be stored with the run',
  expected: 'a text of its own: a throw-away server needs no real secret',
};
const REFERENCE = /\$\$\{|\$\{([^}]*)(\}?)/g;
const INSIDE = /^([A-Za-z_][A-Za-z0-9_]*)(?:(:-|:\?)(.*))?$/s;

/** Replaces references in the document's texts, in place. */
export function interpolate(document: SpecDocument, env: Environment): Interpolation {
  const replaced = new Set<Node>();
  const failed = new Map<Node, Wording>();
  visit(document.yaml, {
    Scalar(key, node, ancestors) {
      if (key === 'key' || typeof node.value !== 'string' || !node.value.includes('${')) return;
      const keys = keysOf(ancestors);
      if (isPasswordOfInstance(keys)) return;
      if (keys.length > 0 && isSecretKey(keys.at(-1) ?? '')) {
        failed.set(node, STORED_SECRET);
        return;
      }
      const outcome = resolveText(node.value, env);
      node.value = outcome.text;
      replaced.add(node);
      if (outcome.failure !== undefined) failed.set(node, outcome.failure);
    },
  });
  return { replaced, failed };
}

/** The text with every reference replaced; `failure` is about the first one that could not be. */
export function resolveText(text: string, env: Environment): { text: string; failure?: Wording } {
  let failure: Wording | undefined;
  const resolved = text.replace(
    REFERENCE,
    (whole: string, inside: string | undefined, end: string | undefined) => {
      if (whole === '$${') return '${';
      const outcome = end === '}' ? resolveReference(inside ?? '', env) : unreadable(whole);
      if (outcome.kind === 'bad') failure ??= outcome.wording;
      return outcome.kind === 'ok' ? outcome.value : '';
    },
  );
  return failure === undefined ? { text: resolved } : { text: resolved, failure };
}

type Resolved = { kind: 'ok'; value: string } | { kind: 'bad'; wording: Wording };

/** What stands between `${` and `}`. */
export function resolveReference(inside: string, env: Environment): Resolved {
  const match = INSIDE.exec(inside);
  if (match === null) return unreadable(`\${${inside}}`);
  const [, name = '', operator, argument = ''] = match;
  const value = env[name];
  if (operator === ':-') return { kind: 'ok', value: value === undefined || value === '' ? argument : value };
  if (value === undefined || (operator === ':?' && value === '')) return unset(name, argument);
  return { kind: 'ok', value };
}

function unset(name: string, why: string): Resolved {
  const message = `the environment variable ${name} is not set${why === '' ? '' : `: ${why}`}`;
  return {
    kind: 'bad',
    wording: { message, expected: `${name} in the environment, or a default: \${${name}:-…}` },
  };
}

function unreadable(reference: string): Resolved {
  return {
    kind: 'bad',
    wording: {
      message: `"${reference}" is not a reference to an environment variable`,
      expected: '${NAME}, ${NAME:-default} or ${NAME:?message}; a plain ${ is written $${',
    },
  };
}

/** The keys that lead to a scalar. */
function keysOf(ancestors: readonly unknown[]): string[] {
  return ancestors
    .filter((ancestor) => isPair(ancestor))
    .map((pair) => (isScalar(pair.key) ? String(pair.key.value) : ''));
}

/** `instances.NAME.password` and `instances.NAME.sentinel.password` stay references. */
function isPasswordOfInstance(keys: readonly string[]): boolean {
  if (keys[0] !== 'instances') return false;
  const within = keys.slice(2).join('.');
  return within === 'password' || within === 'sentinel.password';
}
