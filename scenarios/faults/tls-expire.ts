/** The certificate of a server runs out: those who are connected stay, those who come refuse to talk to it. */
import { SyncError } from '../../engine/errors.ts';
import { ReplyError } from '../../engine/resp/reply.ts';
import { aimedNode, invalid, openNode } from './aim.ts';
import { defineFault, effective, ineffective } from './define-fault.ts';
import { flagOf } from './parameters.ts';
import { ask } from './server-settings.ts';
import type { FaultNode } from './subjects.ts';

export const tlsExpire = defineFault({
  name: 'tls-expire',
  summary:
    'The certificate of a server has run out: whoever connects refuses it. Healed, it has the good one again.',
  requires: ['tls', 'config'],
  aims: 'instance',
  properties: { cut: flagOf('Also close the connections that are open.', true) },
  dataLoss: 'none',
  reversible: true,
  async inject({ context, given, onHeal }) {
    const node = await aimedNode(context);
    const { certificates } = node;
    if (certificates === undefined)
      throw invalid(context, `${node.address} has no certificates of ours`, 'Say `tls: true` there.');
    onHeal(async () => {
      await using connection = await openNode(trustingAnything(node));
      await connection.call('CONFIG', 'SET', 'tls-cert-file', certificates.certFile);
    });
    {
      await using connection = await openNode(node);
      const reply = await connection.tryCall('CONFIG', 'SET', 'tls-cert-file', certificates.expiredCertFile);
      if (reply instanceof ReplyError)
        return ineffective(`${node.address} takes no certificate that has run out`, { reply: reply.message });
      if (given.flag('cut', true))
        for (const type of ['normal', 'replica'])
          await connection.call('CLIENT', 'KILL', 'TYPE', type, 'SKIPME', 'yes');
    }
    const refusal = await ask(node, 'PING').then(
      () => null,
      (error: unknown) => error,
    );
    return isExpired(refusal)
      ? effective({ server: node.address, error: refusal.message, hint: refusal.hint })
      : ineffective(`${node.address} is connected to as before`, { error: String(refusal) });
  },
});

/** Whoever takes away what keeps everybody out must get in himself. */
function trustingAnything(node: FaultNode): FaultNode {
  return { ...node, endpoint: { ...node.endpoint, tls: { ...node.endpoint.tls, insecure: true } } };
}

function isExpired(error: unknown): error is SyncError {
  if (!(error instanceof SyncError) || !(error.cause instanceof Error)) return false;
  return 'code' in error.cause && error.cause.code === 'CERT_HAS_EXPIRED';
}
