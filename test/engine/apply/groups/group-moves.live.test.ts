/** Keys move between the groups of a Codis cluster while the link of one of them is late, stands still, or is killed. */
import { describe, expect, it } from 'vitest';
import { codisSlot } from '../../../../engine/keys/codis-slot.ts';
import { Random } from '../../../../scenarios/data/random.ts';
import { GroupLinks } from './group-links.ts';

const DATABASES = [0, 1];
const KEYS = 120;
/** As `lateMs`: whatever the machine does. */
const ALWAYS = -1;
const NEVER = Infinity;

/** Where each key is now; the clients follow it, as a Codis proxy would. */
class Keyspace {
  readonly #links: GroupLinks;
  readonly #random: Random;
  readonly #at = new Map<string, number>();
  readonly #kinds = new Map<string, number>();

  constructor(links: GroupLinks, random: Random) {
    this.#links = links;
    this.#random = random;
  }

  async fill(): Promise<void> {
    for (const database of DATABASES)
      for (let index = 0; index < KEYS; index++) await this.#write(database, `key:${index}`);
  }

  /** Some writes to any keys, deletions among them, and some keys that move. */
  async stir(rounds: number, moves: 'out' | 'home' | 'any' | 'none'): Promise<void> {
    for (let round = 0; round < rounds; round++) {
      const key = `key:${this.#random.below(KEYS)}`;
      const database = this.#random.pick(DATABASES);
      await this.#write(database, key);
      if (moves !== 'none' && this.#random.chance(0.5)) await this.#move(database, key, moves);
      if (this.#random.chance(0.5)) await this.#write(database, key);
    }
  }

  /** Out: from group 0 to group 1; home: back. */
  async #move(database: number, key: string, moves: 'out' | 'home' | 'any'): Promise<void> {
    const from = this.#groupOf(database, key);
    if ((moves === 'out' && from === 1) || (moves === 'home' && from === 0)) return;
    await this.#links.move(key, database, from);
    this.#at.set(`${database} ${key}`, 1 - from);
  }

  #groupOf(database: number, key: string): number {
    return this.#at.get(`${database} ${key}`) ?? (codisSlot(key) < 512 ? 0 : 1);
  }

  async #write(database: number, key: string): Promise<void> {
    const group = this.#groupOf(database, key);
    const name = `${database} ${key}`;
    const kind = this.#kinds.get(name) ?? this.#random.below(4);
    this.#kinds.set(name, kind);
    if (this.#random.chance(0.15)) {
      // Whatever is made of it next may be of another type.
      this.#kinds.delete(name);
      return this.#links.at(group, database, 'DEL', key);
    }
    if (kind === 0) return this.#links.at(group, database, 'INCR', key);
    if (kind === 1) return this.#links.at(group, database, 'RPUSH', key, this.#random.next());
    if (kind === 2) return this.#links.at(group, database, 'SADD', key, this.#random.below(20));
    return this.#links.at(group, database, 'HINCRBY', key, this.#random.below(5), 1);
  }
}

async function open(seed: number, lateMs?: number): Promise<{ links: GroupLinks; keys: Keyspace }> {
  const links = await GroupLinks.open();
  const keys = new Keyspace(links, new Random(seed, 'groups'));
  await keys.fill();
  links.start(0, lateMs);
  links.start(1, lateMs);
  await links.synchronized();
  return { links, keys };
}

describe('keys that move between groups', () => {
  it('are right although the link of the old group is late with its writes and deletions', async () => {
    const { links, keys } = await open(1, NEVER);
    await using _ = links;
    links.pause(0);
    await keys.stir(150, 'out');
    await links.applied(1);
    links.resume(0);
    await links.drained();
    expect(await links.differences(DATABASES)).toEqual([]);
    expect(links.putRight).toBeGreaterThan(10);
    expect([0, 1].map((group) => links.status(group).errors)).toEqual([{}, {}]);
    const told = links.messages.filter((m) => m.kind === 'finding' && m.code === 'TOPOLOGY_CHANGED');
    expect(told.length).toBeGreaterThan(0);
  });

  it('are left alone by a link that knows that it is late', async () => {
    const { links, keys } = await open(6, ALWAYS);
    await using _ = links;
    links.pause(0);
    await keys.stir(150, 'out');
    await links.applied(1);
    const before = links.putRight;
    links.resume(0);
    await links.drained();
    expect(await links.differences(DATABASES)).toEqual([]);
    expect(links.status(0).handled?.['left to the group that has the key']).toBeGreaterThan(20);
    // Nothing was removed or overwritten. What was deleted before it moved, and is of another type now, could not be written.
    expect(links.putRight - before).toBeLessThan(5);
  });

  it('are right although the link of the new group is late', async () => {
    const { links, keys } = await open(2);
    await using _ = links;
    links.pause(1);
    await keys.stir(150, 'out');
    await links.applied(0);
    links.resume(1);
    await links.drained();
    expect(await links.differences(DATABASES)).toEqual([]);
  });

  it('are right when they come back, and both links were late in turn', async () => {
    const { links, keys } = await open(3);
    await using _ = links;
    links.pause(0);
    await keys.stir(100, 'out');
    await links.applied(1);
    links.pause(1);
    await keys.stir(100, 'home');
    links.resume(0);
    await links.applied(0);
    await keys.stir(60, 'any');
    links.resume(1);
    await links.drained();
    expect(await links.differences(DATABASES)).toEqual([]);
  });

  it('are right although a replicator was killed before what the other one is late with', async () => {
    const { links, keys } = await open(4, NEVER);
    await using _ = links;
    links.pause(0);
    await keys.stir(100, 'out');
    await links.applied(1);
    await links.kill(1);
    await keys.stir(30, 'any');
    links.resume(0);
    await links.applied(0);
    links.start(1);
    await links.synchronized();
    await keys.stir(30, 'any');
    await links.drained();
    expect(await links.differences(DATABASES)).toEqual([]);
    expect(links.putRight).toBeGreaterThan(10);
  });

  it('are right when they move while the groups are copied', async () => {
    const links = await GroupLinks.open();
    await using _ = links;
    const keys = new Keyspace(links, new Random(5, 'groups'));
    await keys.fill();
    links.start(0);
    await keys.stir(60, 'out');
    links.start(1);
    await keys.stir(100, 'any');
    await links.synchronized();
    links.pause(1);
    await keys.stir(60, 'home');
    await links.applied(0);
    links.resume(1);
    await links.drained();
    expect(await links.differences(DATABASES)).toEqual([]);
  });

  it('are right when a group has to be copied again: what it has lost goes, what another group has stays', async () => {
    const { links, keys } = await open(7);
    await using _ = links;
    await links.kill(0);
    await links.at(0, 0, 'CONFIG', 'SET', 'repl-backlog-size', 16_384);
    await keys.stir(150, 'out');
    await links.at(0, 0, 'SET', 'junk', 'x'.repeat(100_000));
    await links.at(0, 0, 'DEL', 'junk');
    links.start(0);
    await links.synchronized();
    await keys.stir(30, 'any');
    await links.drained();
    expect(await links.differences(DATABASES)).toEqual([]);
    const [told] = links.messages.filter((m) => m.kind === 'finding' && m.code === 'FULL_RESYNC');
    expect(told).toMatchObject({ link: 'group-0', severity: 'warning', evidence: { reconciled: true } });
    expect(links.messages.filter((m) => m.kind === 'sync-started' && m.mode === 'full')).toHaveLength(3);
  });
});
