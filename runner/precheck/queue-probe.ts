/** Asks a server whether it would take commands, without running them: queued in a transaction that is discarded. */
import type { Argument } from '../../engine/connect/connection.ts';
import { ReplyError } from '../../engine/resp/reply.ts';
import { Unmeasured, type Side } from './side.ts';

/**
 * The commands a server refuses to queue, with its text. Rights (NOPERM), READONLY, OOM and unknown commands are all
 * checked at queueing, on every version that has them; DISCARD runs nothing. Sent in one write, so that nothing gets in
 * between.
 *
 * @throws Unmeasured when MULTI itself is refused.
 */
export async function findRefused(
  side: Side,
  commands: readonly (readonly Argument[])[],
): Promise<{ command: string; text: string }[]> {
  const replies = await side.send([['MULTI'], ...commands, ['DISCARD']]);
  const [multi, ...queued] = replies;
  if (multi instanceof ReplyError) throw new Unmeasured(`MULTI → ${multi.message}`);
  return commands.flatMap((command, index) => {
    const reply = queued[index];
    return reply instanceof ReplyError ? [{ command: String(command[0]), text: reply.message }] : [];
  });
}
