/** auth.login: the account is accepted; a production server without any password is worth a word. */
import { textOf } from '../../../engine/resp/reply-text.ts';
import { ReplyError } from '../../../engine/resp/reply.ts';
import type { Precheck } from '../precheck.ts';

export const authLogin: Precheck = {
  id: 'auth.login',
  about: 'instance',
  expected: 'the server accepts the account, and asks for one',
  async measure({ instance }) {
    if (instance.failure?.code === 'AUTH') {
      return {
        verdict: 'FAIL',
        measured: instance.failure.message,
        repair: instance.failure.hint ?? 'Correct user name and password.',
      };
    }
    const pong = await instance.ask('PING');
    if (pong instanceof ReplyError && pong.kind === 'NOAUTH') {
      return {
        verdict: 'FAIL',
        measured: `PING → ${pong.message}`,
        repair: 'Set `password: ${NAME}` or `passwordFile` on the instance.',
      };
    }
    const whoAmI = await instance.ask('ACL', 'WHOAMI');
    const account = whoAmI instanceof ReplyError ? (instance.endpoint.username ?? 'default') : textOf(whoAmI);
    const { password, passwordFile } = instance.endpoint;
    if (password !== undefined || passwordFile !== undefined)
      return { verdict: 'PASS', measured: `AUTH → OK as ${account}` };
    if (instance.provisioned)
      return { verdict: 'PASS', measured: 'no password, on a loopback server of this run' };
    return {
      verdict: 'WARN',
      measured: `no password needed, as ${account}`,
      repair: 'Set a password (requirepass or ACL SETUSER) on this server.',
    };
  },
};
