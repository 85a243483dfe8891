/** priv.write.source: the heartbeat that measures lag can be written; without it lag in ms is unknown, nothing else suffers. */
import type { Precheck } from '../precheck.ts';
import { findRefused } from '../queue-probe.ts';

export const privWriteSource: Precheck = {
  id: 'priv.write.source',
  about: 'source',
  expected: 'the account may SETEX the heartbeat key',
  async measure({ source }, { heartbeatPrefix }) {
    const key = `${heartbeatPrefix}:probe${await source.ownTag()}`;
    const [refused] = await findRefused(source, [['SETEX', key, '5', '0']]);
    if (!refused) return { verdict: 'PASS', measured: 'MULTI · SETEX · DISCARD → QUEUED' };
    return {
      verdict: 'WARN',
      measured: `SETEX → ${refused.text}`,
      repair: `Allow it (ACL SETUSER <user> +setex +del ~${heartbeatPrefix}*), or live with a lag that is known in bytes only.`,
    };
  },
};
