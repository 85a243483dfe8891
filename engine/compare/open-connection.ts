/** Connections of the comparison that are not on the hot path. */
import { Connection } from '../connect/connection.ts';
import type { Endpoint } from '../connect/endpoint.ts';
import { COMPARE_CLIENT_NAME, type CompareSettings } from './options.ts';

/** @throws SyncError CONNECT, AUTH. */
export function openConnection(endpoint: Endpoint, settings: CompareSettings): Promise<Connection> {
  return Connection.open(endpoint, {
    name: COMPARE_CLIENT_NAME,
    connectTimeoutMs: settings.connectTimeoutMs,
    replyTimeoutMs: settings.idleTimeoutMs,
    ...(settings.signal ? { signal: settings.signal } : {}),
  });
}
