/** Passwords: in a spec and in a plan they are only references, to an environment variable or a file. */
import type { Parsed } from './quantities.ts';

const REFERENCE = /^\$\{([A-Za-z_][A-Za-z0-9_]*)(?::\?([^}]*))?\}$/;

export interface SecretReference {
  variable: string;
  /** What to say when it is not set. */
  message?: string;
}

/** `${NAME}` or `${NAME:?message}`. A reason never quotes the text: it may be the password. */
export function parseSecretReference(text: string): Parsed<SecretReference> {
  const match = REFERENCE.exec(text);
  if (match === null) {
    const reason = /^\$\{[^}]*:-/.test(text)
      ? 'a default would put a password into the spec, and specs are kept in git'
      : 'a password must not be written into the spec, which is kept in git';
    return { kind: 'bad', reason, expected: 'password: ${NAME}, or passwordFile: FILE' };
  }
  const [, variable = '', message] = match;
  return {
    kind: 'ok',
    value: message === undefined || message === '' ? { variable } : { variable, message },
  };
}
