/** version.source, version.destination, version.order: both are new enough, and the target is not older than the source. */
import { productOf } from '../../provision/product.ts';
import type { Precheck } from '../precheck.ts';
import { Unmeasured, type Side } from '../side.ts';

/** PSYNC came with 2.8. */
const SOURCE_OLDEST = '2.8';
/** RESTORE … ABSTTL came with 5.0. */
const TARGET_OLDEST = '5.0';

export const versionSource: Precheck = {
  id: 'version.source',
  about: 'source',
  expected: `${SOURCE_OLDEST} or newer`,
  async measure({ source }) {
    const { measured, compatible } = await readVersion(source);
    if (compareVersions(compatible, SOURCE_OLDEST) >= 0) return { verdict: 'PASS', measured };
    return {
      verdict: 'FAIL',
      measured,
      repair: `Upgrade the source to ${SOURCE_OLDEST} or newer: older ones do not know PSYNC.`,
    };
  },
};

export const versionDestination: Precheck = {
  id: 'version.destination',
  about: 'destination',
  expected: `${TARGET_OLDEST} or newer`,
  async measure({ target }) {
    const { measured, compatible } = await readVersion(target);
    if (compareVersions(compatible, TARGET_OLDEST) >= 0) return { verdict: 'PASS', measured };
    return {
      verdict: 'FAIL',
      measured,
      repair: `Use a target of ${TARGET_OLDEST} or newer: older ones cannot RESTORE with an absolute expiry.`,
    };
  },
};

export const versionOrder: Precheck = {
  id: 'version.order',
  about: 'link',
  expected: 'the target is of the same product and not older than the source',
  async measure({ source, target }) {
    const [from, to] = await Promise.all([readVersion(source), readVersion(target)]);
    const measured = `${from.product} ${from.version} → ${to.product} ${to.version}`;
    if (from.product !== to.product) {
      return {
        verdict: 'WARN',
        measured,
        repair: 'Different products: look at restore.compat, and rehearse with real data.',
      };
    }
    if (compareVersions(to.version, from.version) >= 0) return { verdict: 'PASS', measured };
    return {
      verdict: 'WARN',
      measured,
      repair: 'Use a target that is at least as new: it may refuse newer values and commands.',
    };
  },
};

interface MeasuredVersion {
  product: string;
  version: string;
  /** Version of Redis it says to be compatible with. */
  compatible: string;
  measured: string;
}

async function readVersion(side: Side): Promise<MeasuredVersion> {
  const info = await side.info('server');
  const compatible = info['redis_version'];
  if (compatible === undefined) throw new Unmeasured('INFO server → no redis_version');
  const { server, version } = productOf(info);
  const own = server === 'redis' ? '' : `, ${server} ${version}`;
  return {
    product: server,
    version,
    compatible,
    measured: `INFO server → redis_version:${compatible}${own}`,
  };
}

/** Negative when `left` is older. Numbers are compared as far as `right` says: 5.0.3 is not older than 5.0. */
export function compareVersions(left: string, right: string): number {
  const leftParts = left.split('.').map(Number);
  const difference = right
    .split('.')
    .map((part, index) => (leftParts[index] ?? 0) - Number(part))
    .find((value) => value !== 0);
  return difference ?? 0;
}
