/** Both directions between two members of a circle, clusters or servers, in this process. */
import type { Whereabouts } from '../../../../engine/connect/discovery.ts';
import type { Endpoint } from '../../../../engine/connect/endpoint.ts';
import type { LinkStatus } from '../../../../engine/link/messages.ts';
import type { EngineOptions } from '../../../../engine/link/options.ts';
import { TestCluster } from '../../../support/cluster.ts';
import type { TestServer } from '../../../support/server.ts';
import { ShardLinks } from './shard-links.ts';

export type Side = TestCluster | TestServer;

export class CirclePair implements AsyncDisposable {
  readonly forward: ShardLinks;
  readonly reverse: ShardLinks;

  private constructor(forward: ShardLinks, reverse: ShardLinks) {
    this.forward = forward;
    this.reverse = reverse;
  }

  /** The reverse begins when the forward direction is in sync. */
  static async start(left: Side, right: Side, engine: Partial<EngineOptions> = {}): Promise<CirclePair> {
    const forward = await startForward(left, right, engine);
    const reverse = await ShardLinks.start(sourceOf(right), targetOf(left), engine, {
      name: 'reverse',
      origins: { source: 'right', target: 'left' },
      incrementalOnly: true,
    });
    await reverse.synchronized();
    return new CirclePair(forward, reverse);
  }

  get commands(): [forward: number, reverse: number] {
    return [sum(this.forward, commandsOf), sum(this.reverse, commandsOf)];
  }

  /** Changes that came back to where they were made. */
  get echoes(): number {
    return sum(this.forward, echoesOf) + sum(this.reverse, echoesOf);
  }

  /** What one direction brings the other one reads, and leaves out. */
  async settled(): Promise<void> {
    for (let round = 0; round < 3; round++) {
      await this.forward.drained();
      await this.reverse.drained();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.forward[Symbol.asyncDispose]();
    await this.reverse[Symbol.asyncDispose]();
  }
}

/** One direction alone, in sync. */
export async function startForward(
  left: Side,
  right: Side,
  engine: Partial<EngineOptions> = {},
): Promise<ShardLinks> {
  const forward = await ShardLinks.start(sourceOf(left), targetOf(right), engine, {
    name: 'forward',
    origins: { source: 'left', target: 'right' },
  });
  await forward.synchronized();
  return forward;
}

export function sum(links: ShardLinks, of: (status: LinkStatus) => number): number {
  return links.statuses.reduce((total, status) => total + of(status), 0);
}

export function failuresOf({ messages }: ShardLinks): string[] {
  return messages.flatMap((message) => (message.kind === 'link-failed' ? [message.error.message] : []));
}

function commandsOf({ stream }: LinkStatus): number {
  return stream.commands;
}

function echoesOf({ handled }: LinkStatus): number {
  return handled?.['loop echoes'] ?? 0;
}

function sourceOf(side: Side): TestCluster | Endpoint {
  return side instanceof TestCluster ? side : side.endpoint;
}

function targetOf(side: Side): Whereabouts {
  return side instanceof TestCluster ? { kind: 'cluster', seeds: side.seeds } : side.endpoint;
}
