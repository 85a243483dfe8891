/** The watch itself on a real target: what it hears when it begins at an awkward moment. */
import { expect, test } from 'vitest';
import { GrowingFindings } from '../../../engine/apply/growing-findings.ts';
import { loadingKey, checkpointKey } from '../../../engine/apply/checkpoint.ts';
import { Connection } from '../../../engine/connect/connection.ts';
import { ForeignWatch } from '../../../engine/link/foreign-watch.ts';
import { parseInfo } from '../../../engine/resp/reply-text.ts';
import { startServer } from '../../support/server.ts';
import { until } from '../../support/until.ts';

test.each([
  ['one', ['l']],
  ['several, of other links of the target', ['l', 'other']],
])(
  'full syncs that run when it begins are ours to their end, what comes then is foreign: %s',
  async (_name, links) => {
    await using server = await startServer();
    await using target = await Connection.open(server.endpoint);
    for (const link of links) await target.call('HSET', loadingKey(link), 'alone', '1');
    const heard: string[] = [];
    const watch = new ForeignWatch({
      policy: 'report',
      name: 'the target',
      target: () => server.endpoint,
      heartbeatPrefix: 'heartbeat:',
      idleTimeoutMs: 5000,
      growing: new GrowingFindings(() => undefined),
      onForeign: (_writes, what) => heard.push(what),
      onRefused: (error) => heard.push(error.message),
    });
    await until(async () => {
      const info = parseInfo(await target.call('INFO', 'replication'));
      return info['slave0']?.includes('state=online');
    });
    // As a full sync does it: outside of transactions.
    await target.call('SET', 'copied', 'v');
    await target.call('UNLINK', 'copied', 'gone');
    for (const link of links) {
      await target.call('SET', `copied by ${link}`, 'v');
      await target.call('DEL', loadingKey(link));
      await target.call('HSET', checkpointKey(link), 'offset', '1');
    }
    await target.call('SET', 'intruder', 'v');
    await until(async () => heard.length > 0);
    await watch.close(false);
    expect(heard).toEqual(['SET "intruder"']);
  },
);
