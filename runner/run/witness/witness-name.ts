/** The name of the connections that gather evidence: they are told from everybody else's by it. */
export const WITNESS_NAME = 'redis-sync-witness';
