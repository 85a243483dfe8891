/** One address. A host name is resolved by `dial`, anew on every attempt, and nothing else is to be found out. */
import type { Discovery } from './discovery.ts';
import { describeEndpoint, type Endpoint } from './endpoint.ts';

export class FixedAddress implements Discovery {
  readonly #endpoint: Endpoint;

  constructor(endpoint: Endpoint) {
    this.#endpoint = endpoint;
  }

  locate(): Promise<Endpoint> {
    return Promise.resolve(this.#endpoint);
  }

  confirm(): void {
    // There is nothing to choose.
  }

  describe(): string {
    return describeEndpoint(this.#endpoint);
  }
}
