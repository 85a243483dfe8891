/** What a server says it is. Pure. */

/** Product and version from INFO server. Valkey reports a compatible `redis_version` besides its own. */
export function productOf(info: Readonly<Record<string, string>>): { server: string; version: string } {
  if (info['valkey_version'] !== undefined) return { server: 'valkey', version: info['valkey_version'] };
  if (info['dragonfly_version'] !== undefined)
    return { server: 'dragonfly', version: info['dragonfly_version'] };
  return { server: info['server_name'] ?? 'redis', version: info['redis_version'] ?? '' };
}
