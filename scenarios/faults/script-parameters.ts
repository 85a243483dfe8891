/** What a `script` step may say in `with:` — its schema, and the parsed form. */
import { SyncError } from '../../engine/errors.ts';

export interface CommandsParameters {
  /** The step's `where`: the instance they are sent to. */
  instance: string;
  /** Lines in redis-cli's quoting, or arrays of arguments taken as they are (UTF-8). */
  commands: (string | string[])[];
  database: number;
}

export interface RunParameters {
  run: string;
  env: Record<string, string>;
  timeoutMs: number;
}

const TIMEOUT_DEFAULT = '30s';
const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000 };

export const SCRIPT_SCHEMA = {
  type: 'object',
  oneOf: [
    {
      title: 'commands to an instance',
      type: 'object',
      required: ['commands'],
      additionalProperties: false,
      properties: {
        database: {
          type: 'integer',
          minimum: 0,
          default: 0,
          description: 'Selected before the commands are sent.',
        },
        commands: {
          type: 'array',
          minItems: 1,
          description: 'Each a line in redis-cli’s quoting ("\\xHH" included) or an array of arguments.',
          items: {
            oneOf: [
              { type: 'string', minLength: 1 },
              { type: 'array', minItems: 1, items: { type: 'string' } },
            ],
          },
        },
      },
    },
    {
      title: 'a shell command',
      type: 'object',
      required: ['run'],
      additionalProperties: false,
      properties: {
        run: {
          type: 'string',
          minLength: 1,
          description:
            'For sh -c. REDIS_SYNC_<INSTANCE>_HOST, _PORT, _URL and, by TLS, _CA are set; exit code 0 means it took effect.',
        },
        env: {
          type: 'object',
          additionalProperties: { type: 'string' },
          description: 'More environment variables.',
        },
        timeout: {
          type: 'string',
          pattern: '^[0-9]+(ms|s|m)$',
          default: TIMEOUT_DEFAULT,
          description:
            'The command and everything it started is ended after this time; the step has failed then.',
        },
      },
    },
  ],
} as const;

/** Parses `with:`. The schema was checked when the spec was read; this does not rely on it. @throws SyncError SPEC_INVALID */
export function readScriptParameters(
  parameters: Readonly<Record<string, unknown>>,
  where: string | undefined,
): CommandsParameters | RunParameters {
  const { run, commands } = parameters;
  if ((run === undefined) === (commands === undefined)) {
    throw invalid('A script has either `commands` or `run`.');
  }
  if (typeof run === 'string')
    return {
      run,
      env: readEnv(parameters['env']),
      timeoutMs: readTimeoutMs(parameters['timeout'] ?? TIMEOUT_DEFAULT),
    };
  const database = parameters['database'] ?? 0;
  if (where === undefined) throw invalid('A script with `commands` says with `where` which instance.');
  if (typeof database !== 'number') throw invalid('`database` is a number.');
  if (!Array.isArray(commands) || !commands.every(isCommand)) {
    throw invalid('`commands` is a list of lines or of lists of arguments.');
  }
  return { instance: where, database, commands };
}

function isCommand(command: unknown): command is string | string[] {
  return (
    typeof command === 'string' || (Array.isArray(command) && command.length > 0 && command.every(isString))
  );
}

function isString(value: unknown): value is string {
  return typeof value === 'string';
}

function readEnv(env: unknown): Record<string, string> {
  if (env === undefined) return {};
  if (typeof env !== 'object' || env === null) throw invalid('`env` is a map of strings.');
  return Object.fromEntries(Object.entries(env).map(([name, value]) => [name, String(value)]));
}

function readTimeoutMs(timeout: unknown): number {
  const [, digits, unit] = /^(\d+)(ms|s|m)$/.exec(isString(timeout) ? timeout : '') ?? [];
  const unitMs = UNITS_MS[unit ?? ''];
  if (digits === undefined || unitMs === undefined)
    throw invalid('`timeout` is a duration like 30s or 500ms.');
  return Number(digits) * unitMs;
}

function invalid(message: string): SyncError {
  return new SyncError('SPEC_INVALID', message, { where: 'script' });
}
