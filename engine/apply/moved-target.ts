/** What a target at another address is reported as. */
import { describeEndpoint, type Endpoint } from '../connect/endpoint.ts';
import type { LinkFinding } from './finding.ts';

/** Whether it has everything we had applied, its checkpoint decides, which is read before anything is sent again. */
export function movedFinding(from: Endpoint, to: Endpoint): LinkFinding {
  return {
    code: 'ENDPOINT_CHANGED',
    severity: 'warning',
    message: `The target is at ${describeEndpoint(to)} now; it was at ${describeEndpoint(from)}. Its own checkpoint says where the link goes on.`,
    evidence: { side: 'target', from: describeEndpoint(from), to: describeEndpoint(to) },
  };
}
