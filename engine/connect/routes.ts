/**
 * Another way to a server than its own address, for this whole process: what a hosts file is to names. A rehearsal puts a
 * proxy between a replicator and its servers this way, and whatever address a server, a Sentinel or a redirect announces is
 * still the one that is meant, told and compared; only `dial` looks here.
 */
import { describeEndpoint } from './endpoint.ts';

/** `host:port` of a server → where to connect instead. Plain JSON: it crosses IPC. */
export type Routes = Readonly<Record<string, { host: string; port: number }>>;

let current: Routes = {};

/** From now on connections go these ways; those that are open stay. */
export function setRoutes(routes: Routes): void {
  current = routes;
}

/** Where to connect in order to reach a server. */
export function routeTo(server: { host: string; port: number }): { host: string; port: number } {
  return current[describeEndpoint(server)] ?? server;
}
