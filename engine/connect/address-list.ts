/**
 * Several addresses of one instance: all are asked at once, and one that says it is a primary is taken.
 *
 * Of several primaries (an old one that came back, an isolated one) the best is the one that knows the replication history
 * we want to continue, then the last one that worked, then the first in the list. An account that may ask neither INFO nor
 * ROLE leaves the role unknown; such an address is taken only when no other says more.
 */
import { SyncError } from '../errors.ts';
import type { Discovery, LocateOptions } from './discovery.ts';
import { describeEndpoint, type Endpoint } from './endpoint.ts';
import { askRole, type ServerRole } from './server-role.ts';

const ASK_TIMEOUT_MS = 3000;

export class AddressList implements Discovery {
  readonly #endpoints: readonly Endpoint[];
  #lastGood: string | undefined;

  constructor(endpoints: readonly Endpoint[]) {
    this.#endpoints = endpoints;
  }

  async locate(options: LocateOptions = {}): Promise<Endpoint> {
    const { replid, signal } = options;
    const asking = new AbortController();
    const onAbort = (): void => asking.abort();
    if (signal?.aborted) asking.abort();
    else signal?.addEventListener('abort', onAbort, { once: true });
    try {
      const answers = this.#endpoints.map((endpoint) =>
        askRole(endpoint, { timeoutMs: ASK_TIMEOUT_MS, signal: asking.signal }),
      );
      const chosen =
        (await this.#lastGoodIfRight(answers, replid)) ?? this.#choose(await Promise.all(answers), replid);
      return chosen.endpoint;
    } finally {
      signal?.removeEventListener('abort', onAbort);
      asking.abort();
    }
  }

  confirm(endpoint: Endpoint): void {
    this.#lastGood = describeEndpoint(endpoint);
  }

  describe(): string {
    return `one of ${this.#endpoints.map(describeEndpoint).join(', ')}`;
  }

  /** Where nothing has changed, nobody else has to answer first: an address that is down would cost seconds. */
  async #lastGoodIfRight(
    answers: readonly Promise<ServerRole>[],
    replid: string | undefined,
  ): Promise<ServerRole | undefined> {
    const at = this.#endpoints.findIndex((endpoint) => describeEndpoint(endpoint) === this.#lastGood);
    const answer = await answers[at];
    const isRight = answer?.role === 'primary' && (replid === undefined || answer.replids.includes(replid));
    return isRight ? answer : undefined;
  }

  #choose(answers: readonly ServerRole[], replid: string | undefined): ServerRole {
    const primaries = answers.filter(({ role }) => role === 'primary');
    const unknown = answers.filter(({ role }) => role === 'unknown');
    const isLastGood = ({ endpoint }: ServerRole): boolean => describeEndpoint(endpoint) === this.#lastGood;
    const chosen =
      primaries.find(({ replids }) => replid !== undefined && replids.includes(replid)) ??
      primaries.find(isLastGood) ??
      primaries[0] ??
      unknown.find(isLastGood) ??
      unknown[0];
    if (chosen !== undefined) return chosen;
    throw noPrimary(answers);
  }
}

/** A login that every address refuses is what it is; anything else may change by itself. */
function noPrimary(answers: readonly ServerRole[]): SyncError {
  const said = answers.map(({ endpoint, said: text }) => `${describeEndpoint(endpoint)}: ${text}`).join('; ');
  const [first] = answers;
  const isLogin = answers.every(({ failure }) => failure?.code === 'AUTH');
  if (isLogin && first?.failure !== undefined) return first.failure;
  return new SyncError('CONNECT', `None of the addresses is a primary now. ${said}`, {
    where: answers.map(({ endpoint }) => describeEndpoint(endpoint)).join(', '),
    retryable: true,
    hint: 'Promote one of them, or correct `urls` in the spec (SIGHUP makes a running `redis-sync run` read it again).',
  });
}
