/**
 * Which process applies a link to a target. Whoever starts writes its token there, then ends the connections of everybody
 * before it; whoever reconnects looks first whether the token is still its own. So a process that was replaced while it
 * stood still (its machine was paused) stops, instead of writing an old snapshot over newer data.
 *
 *   start       SET redis-sync:owner:<id> <token>  ─▶ CLIENT KILL the others
 *   reconnect   GET redis-sync:owner:<id>  ─ ours ─▶ CLIENT KILL the others;  ─ another's ─▶ stop
 *
 * The order matters: a predecessor that looked before we wrote is connected before we kill.
 */
import { randomBytes } from 'node:crypto';
import type { Connection } from '../connect/connection.ts';
import { describeEndpoint } from '../connect/endpoint.ts';
import { SyncError } from '../errors.ts';
import { ReplyError } from '../resp/reply.ts';
import { ownerKey } from './checkpoint.ts';

export class Ownership {
  readonly #link: string;
  readonly #token = randomBytes(8).toString('hex');
  #held = false;

  constructor(link: string) {
    this.#link = link;
  }

  /**
   * For each new connection, before anything is written on it. A target that may not be written to now, or an account
   * without the right to, only costs this guard.
   *
   * @throws SyncError APPLY_REFUSED, not retryable, when another process has taken the link over; CONNECT.
   */
  async claim(connection: Connection): Promise<void> {
    const owner = this.#held ? await connection.tryCall('GET', ownerKey(this.#link)) : null;
    if (owner instanceof ReplyError) return;
    // Nobody's: we begin, or the target was emptied meanwhile, which the checkpoint will tell.
    if (owner === null) {
      const written = await connection.tryCall('SET', ownerKey(this.#link), this.#token);
      this.#held = !(written instanceof ReplyError);
      return;
    }
    if (Buffer.isBuffer(owner) && owner.toString('latin1') === this.#token) return;
    throw new SyncError('APPLY_REFUSED', `Another process applies link ${this.#link} to this target now.`, {
      where: describeEndpoint(connection.endpoint),
      hint: 'This one was replaced while it stood still, or the same link was started twice: end one of them.',
    });
  }
}
