/** No snapshot can be written, as on a full disk: a server that is to save itself refuses writes then (MISCONF). */
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Reply } from '../../engine/resp/reply.ts';
import { textOf } from '../../engine/resp/reply-text.ts';
import { aimedNode, infoOf, invalid } from './aim.ts';
import { defineFault, effective, ineffective } from './define-fault.ts';
import { awaitEvidence } from './evidence.ts';
import { ask, changeSettings, isBehindAnother, refusal, tell } from './server-settings.ts';
import type { FaultNode } from './subjects.ts';

const SAVE_ATTEMPTS = 100;
const SAVE_RETRY_MS = 50;

export const bgsaveFail = defineFault({
  name: 'bgsave-fail',
  summary: 'A server cannot write its snapshot, as on a full disk, and refuses writes (MISCONF).',
  requires: ['config', 'restart'],
  aims: 'instance',
  dataLoss: 'none',
  reversible: true,
  async inject(work) {
    const { context, onHeal } = work;
    const node = await aimedNode(context);
    if (node.folder === undefined)
      throw invalid(context, `the folder of ${node.address} is not known`, 'Use an instance without url.');
    const file = join(node.folder, textOf(await settingOf(node, 'dbfilename')));
    // A snapshot that succeeds takes the refusal back.
    onHeal(() => startSave(node));
    await changeSettings(work, node, { 'stop-writes-on-bgsave-error': 'yes', save: '3600 1' });
    onHeal(() => putBack(file));
    await rename(file, `${file}.aside`).catch(() => undefined);
    // A folder in its place cannot be replaced by a file.
    await mkdir(join(file, 'full'), { recursive: true });
    const text = await awaitEvidence(context, async () => {
      const failed = (await infoOf(node, 'persistence'))['rdb_last_bgsave_status'] === 'err';
      if (failed) return await refusal(node);
      // Refused while a replica is fed by another child: asked again.
      await ask(node, 'BGSAVE');
      return null;
    });
    return text === null
      ? ineffective('the snapshot could be written')
      : effective({ server: node.address, reply: text });
  },
});

async function settingOf(node: FaultNode, name: string): Promise<Reply | undefined> {
  const reply = await tell(node, 'CONFIG', 'GET', name);
  return Array.isArray(reply) ? reply[1] : undefined;
}

/** Behind a save that is still going on, which may have begun before the folder was right again. @throws SyncError. */
async function startSave(node: FaultNode): Promise<void> {
  for (let left = SAVE_ATTEMPTS; left > 0; left--) {
    if (!isBehindAnother(await ask(node, 'BGSAVE'))) return;
    await sleep(SAVE_RETRY_MS);
  }
  await tell(node, 'BGSAVE');
}

async function putBack(file: string): Promise<void> {
  await rm(file, { recursive: true, force: true });
  await rename(`${file}.aside`, file).catch(() => undefined);
}
