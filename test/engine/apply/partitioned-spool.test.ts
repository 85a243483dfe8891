import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PartitionedSpool } from '../../../engine/apply/partitioned-spool.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'redis-sync-partitions-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function open(partitions: number, diskBytesMax = 1 << 30): PartitionedSpool {
  return new PartitionedSpool({ path: join(folder, 'sub', 'file.spool'), partitions, diskBytesMax });
}

async function all(spool: PartitionedSpool, partition: number): Promise<string> {
  let text = '';
  for await (const block of spool.read(partition)) text += block.toString('latin1');
  return text;
}

describe('PartitionedSpool', () => {
  it('gives each partition its records back, in order, from disk and from memory', async () => {
    const spool = open(3);
    const expected = ['', '', ''];
    for (let index = 0; index < 9000; index++) {
      const partition = (index * 7) % 3;
      const record = `${index}:${'r'.repeat(index % 50)};`;
      spool.write(partition, Buffer.from(record));
      expected[partition] += record;
      await spool.room();
    }
    for (const partition of [0, 1, 2]) {
      expect(await all(spool, partition)).toBe(expected[partition]);
      expect(spool.bytes(partition)).toBe(expected[partition]?.length);
    }
    await spool.remove();
    expect(await readdir(join(folder, 'sub'))).toEqual([]);
  });

  it('never divides a record, not even one larger than a block', async () => {
    const spool = open(1);
    const records = ['a'.repeat(10_000), 'b'.repeat(10_000), 'c'.repeat(50_000), 'd'];
    for (const record of records) spool.write(0, Buffer.from(record));
    const blocks: string[] = [];
    for await (const block of spool.read(0)) blocks.push(block.toString());
    expect(blocks).toEqual(records);
    await spool.remove();
  });

  it('makes no file for what fits into memory, and none for nothing', async () => {
    const spool = open(2);
    spool.write(1, Buffer.from('x'));
    expect([await all(spool, 0), await all(spool, 1)]).toEqual(['', 'x']);
    await spool.remove();
    expect(await readdir(folder)).toEqual([]);
  });

  it('stops at its limit on disk', () => {
    const spool = open(1, 20_000);
    const write = (): void => {
      for (let index = 0; index < 100; index++) spool.write(0, Buffer.alloc(1000));
    };
    expect(write).toThrow(expect.objectContaining({ code: 'LOG_FULL' }));
  });

  it('reports a disk that does not work, to whoever reads and to nobody else', async () => {
    await writeFile(join(folder, 'sub'), 'a file where the folder should be');
    const spool = open(1);
    for (let index = 0; index < 100; index++) spool.write(0, Buffer.alloc(1000));
    await expect(all(spool, 0)).rejects.toMatchObject({ code: 'LOG_FULL' });
    await spool.room();
    await spool.remove();
  });
});
