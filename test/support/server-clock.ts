/** The clock of a server, as it judges deadlines: in whole milliseconds, and a key is dead from the one after its deadline on. */
import { timeOf } from '../../engine/apply/expiry/settlement.ts';
import type { Connection } from '../../engine/connect/connection.ts';
import { until } from './until.ts';

/** Ms since the epoch. With a fraction a deadline would be over here in the millisecond in which it is not over there. */
export async function nowOf(server: Connection): Promise<number> {
  return timeOf(await server.call('TIME'));
}

/** Resolves when the server takes what ends at this time for ended. */
export async function passed(server: Connection, ms: number): Promise<void> {
  await until(async () => (await nowOf(server)) > ms);
}
