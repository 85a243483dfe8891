/**
 * An engine of the test's own: copies every key of the source once, with SCAN, DUMP and RESTORE, and ends.
 *
 *   copier.ts SOURCE_PORT TARGET_PORT [--forget-every N] [--stay]
 */
import { parseArgs } from 'node:util';
import { Connection } from '../../../../../engine/connect/connection.ts';
import { parseInfo, textOf } from '../../../../../engine/resp/reply-text.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { 'forget-every': { type: 'string' }, stay: { type: 'boolean' } },
});
const [from, to] = positionals.map((port) => ({ host: '127.0.0.1', port: Number(port) }));
if (from === undefined || to === undefined) throw new Error('two ports are wanted');
await using source = await Connection.open(from);
await using target = await Connection.open(to);
const forgetEvery = Number(values['forget-every'] ?? Infinity);

let copied = 0;
for (const name of Object.keys(parseInfo(await source.call('INFO', 'keyspace')))) {
  const database = name.slice(2);
  await source.call('SELECT', database);
  await target.call('SELECT', database);
  for (let cursor = ''; cursor !== '0';) {
    const reply = await source.call('SCAN', cursor === '' ? '0' : cursor, 'COUNT', '100');
    const [next, keys] = Array.isArray(reply) ? reply : [];
    cursor = textOf(next);
    for (const key of Array.isArray(keys) ? keys : []) {
      if (!Buffer.isBuffer(key)) continue;
      copied++;
      if (copied % forgetEvery === 0) continue;
      const payload = await source.call('DUMP', key);
      const expireAt = textOf(await source.call('PEXPIRETIME', key));
      if (!Buffer.isBuffer(payload)) continue;
      await target.call('RESTORE', key, expireAt === '-1' ? '0' : expireAt, payload, 'ABSTTL', 'REPLACE');
    }
  }
}
process.stdout.write(`all ${copied} keys copied\n`);
// A program that goes on, and says over and over that it has nothing left to do.
if (values.stay === true) setInterval(() => process.stdout.write('lag 0\n'), 50);
