/** Two real servers and a connection to each, for tests that plant differences. */
import { compareInstances } from '../../../engine/compare/compare.ts';
import type { ComparisonResult, Difference } from '../../../engine/compare/difference.ts';
import type { CompareOptions } from '../../../engine/compare/options.ts';
import { Connection, type Argument } from '../../../engine/connect/connection.ts';
import { startServer, type TestServer } from '../../support/server.ts';

export type Command = readonly Argument[];

export class ServerPair implements AsyncDisposable {
  readonly source: Connection;
  readonly target: Connection;
  readonly #servers: TestServer[];

  private constructor(servers: TestServer[], source: Connection, target: Connection) {
    this.#servers = servers;
    this.source = source;
    this.target = target;
  }

  static async start(config: Record<string, string> = {}): Promise<ServerPair> {
    const servers = await Promise.all([startServer(config), startServer(config)]);
    const [source, target] = await Promise.all(servers.map((server) => Connection.open(server.endpoint)));
    if (source === undefined || target === undefined) throw new Error('no servers');
    return new ServerPair(servers, source, target);
  }

  async flush(): Promise<void> {
    for (const connection of [this.source, this.target]) {
      await connection.call('FLUSHALL');
      await connection.call('SELECT', 0);
    }
  }

  async onBoth(...commands: Command[]): Promise<void> {
    await this.onSource(...commands);
    await this.onTarget(...commands);
  }

  async onSource(...commands: Command[]): Promise<void> {
    for (const command of commands) await this.source.call(...command);
  }

  async onTarget(...commands: Command[]): Promise<void> {
    for (const command of commands) await this.target.call(...command);
  }

  /** Without waiting between rounds: nothing changes while these tests compare. */
  compare(options: Partial<CompareOptions> = {}): Promise<ComparisonResult> {
    return compareInstances({
      sources: [this.source.endpoint],
      targets: [this.target.endpoint],
      roundWaitMs: 0,
      ...options,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.source.close();
    await this.target.close();
    for (const server of this.#servers) await server.stop();
  }
}

/** `CLASS key: detail` of every difference. */
export function summaries(result: ComparisonResult): string[] {
  return result.differences.map(summary);
}

function summary(difference: Difference): string {
  return `${difference.class} ${difference.key}: ${difference.detail}`;
}
