/** `failover-source@reverse`: which rehearsal, and of which link. Pure. */

/** The name that means every scenario. */
export const ALL_SCENARIOS = 'all';

export interface ScenarioName {
  /** Of a scenario; or `all`. */
  scenario: string;
  /** Absent: the first link of the spec. */
  link?: string;
}

/** Any text is taken apart; whether there is such a scenario or link is for others to say. */
export function parseScenarioName(written: string): ScenarioName {
  const [scenario = '', link] = written.trim().split('@');
  return link === undefined ? { scenario } : { scenario, link };
}
