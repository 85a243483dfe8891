/** The oldest Node that redis-sync runs on. The same number stands in package.json, `engines`. */

export const NODE_WANTED = '20.19';

/** @param version as in `process.versions.node`. */
export function isNodeSupported(version, wanted = NODE_WANTED) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [wantedMajor = 0, wantedMinor = 0] = wanted.split('.').map(Number);
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}
