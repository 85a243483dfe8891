/**
 * A primary that Sentinels watch: each of them is asked for its address until one names an address that also says itself
 * that it is a primary (for a while after a failover a Sentinel may still name the old one).
 *
 * Source of the fact: the guidelines for Sentinel clients (SENTINEL GET-MASTER-ADDR-BY-NAME, then ROLE).
 */
import { asError, SyncError } from '../errors.ts';
import { ReplyError } from '../resp/reply.ts';
import { textOf } from '../resp/reply-text.ts';
import { Connection } from './connection.ts';
import type { Discovery, LocateOptions, SentinelWatch as Watch } from './discovery.ts';
import { describeEndpoint, type Endpoint } from './endpoint.ts';
import { askRole } from './server-role.ts';

const ASK_TIMEOUT_MS = 3000;

export class SentinelWatch implements Discovery {
  readonly #name: string;
  readonly #login: Watch['login'];
  /** The one that answered last stands first. */
  #sentinels: Endpoint[];

  constructor({ name, sentinels, login }: Watch) {
    this.#name = name;
    this.#login = login;
    this.#sentinels = [...sentinels];
  }

  async locate(options: LocateOptions = {}): Promise<Endpoint> {
    const said: string[] = [];
    let login: SyncError | undefined;
    for (const sentinel of this.#sentinels) {
      const answer = await this.#ask(sentinel, options);
      if (typeof answer === 'string') {
        said.push(`${describeEndpoint(sentinel)}: ${answer}`);
        continue;
      }
      const role = await askRole(answer, { timeoutMs: ASK_TIMEOUT_MS, ...pick(options) });
      if (role.role === 'primary' || role.role === 'unknown') {
        this.#sentinels = [sentinel, ...this.#sentinels.filter((each) => each !== sentinel)];
        return answer;
      }
      if (role.failure?.code === 'AUTH') login ??= role.failure;
      said.push(`${describeEndpoint(sentinel)} names ${describeEndpoint(answer)}, which says: ${role.said}`);
    }
    if (login !== undefined) throw login;
    throw new SyncError(
      'CONNECT',
      `No Sentinel leads to a primary of "${this.#name}" now. ${said.join('; ')}`,
      {
        where: this.describe(),
        retryable: true,
        hint: 'Wait for the failover to end; check the name and the addresses of the Sentinels.',
      },
    );
  }

  confirm(): void {
    // The Sentinels know better than the past.
  }

  describe(): string {
    return `${this.#name} of Sentinel ${this.#sentinels.map(describeEndpoint).join(', ')}`;
  }

  /** The address that a Sentinel names, or what it says instead. */
  async #ask(sentinel: Endpoint, options: LocateOptions): Promise<Endpoint | string> {
    try {
      await using connection = await Connection.open(sentinel, {
        connectTimeoutMs: ASK_TIMEOUT_MS,
        replyTimeoutMs: ASK_TIMEOUT_MS,
        ...pick(options),
      });
      const reply = await connection.tryCall('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', this.#name);
      if (reply instanceof ReplyError) return reply.message;
      if (!Array.isArray(reply)) return `it does not watch "${this.#name}"`;
      const [host, port] = reply.map(textOf);
      if (!host || !/^\d+$/.test(port ?? '')) return `it answers ${JSON.stringify(textOf(reply))}`;
      return { ...this.#login, host, port: Number(port) };
    } catch (error) {
      return asError(error).message;
    }
  }
}

function pick({ signal }: LocateOptions): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}
