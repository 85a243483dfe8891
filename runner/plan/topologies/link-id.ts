/** The id of a link that got none: it says what flows where. */
export function defaultLinkId(source: string, target: string): string {
  return `${source}-to-${target}`;
}
