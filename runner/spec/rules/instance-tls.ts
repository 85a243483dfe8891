/** `tls:` – true on a provisioned server, settings on an existing one. */
import { placeKeyOf, type PlaceKey } from '../../plan/existing.ts';
import type { Path } from '../document.ts';
import type { Draft } from '../draft.ts';
import type { Instance } from '../spec.generated.ts';
import type { RuleContext } from './rule.ts';

type TlsSettings = Exclude<Draft<Instance>['tls'], boolean | undefined>;

/** Directives that `tls: true` decides. Others, like tls-protocols, are the spec's. */
const DECIDED: readonly string[] = [
  'tls-port',
  'tls-cert-file',
  'tls-key-file',
  'tls-ca-cert-file',
  'tls-ca-cert-dir',
  'tls-auth-clients',
  'tls-replication',
];

const NO_TLS_YET: Readonly<Record<Exclude<NonNullable<Instance['kind']>, 'standalone'>, string>> = {
  sentinel: 'a provisioned sentinel has no TLS yet',
  cluster: 'a provisioned cluster has no TLS yet',
  'codis-group': 'a Codis group has no TLS',
};

/** The settings, if there are any. */
export function tlsSettingsOf({ tls }: Draft<Instance>): TlsSettings | undefined {
  return typeof tls === 'object' ? tls : undefined;
}

/** Is it reached by TLS, as far as the instance itself says? */
export function speaksTls(instance: Draft<Instance>): boolean {
  if (placeKeyOf(instance) === undefined) return instance.tls === true;
  return instance.tls !== undefined || instance.url?.startsWith('rediss:') === true;
}

export function checkProvisionedTls({ report }: RuleContext, instance: Draft<Instance>, path: Path): void {
  const { tls, kind = 'standalone', provider = 'process' } = instance;
  const at = [...path, 'tls'];
  if (tlsSettingsOf(instance) !== undefined) {
    report(at, 'key', {
      message: `tls settings belong to an existing endpoint, and ${path.join('.')} has no url`,
      expected: 'tls: true, or url: rediss://host:6379 beside it',
    });
  }
  if (tls !== true) return;
  if (provider === 'container') {
    report(at, 'key', {
      message: 'a provisioned container has no TLS yet',
      expected: 'provider: process, or no tls',
    });
  }
  if (kind !== 'standalone')
    report(at, 'key', { message: NO_TLS_YET[kind], expected: 'kind: standalone, or no tls' });
  for (const directive of Object.keys(instance.config ?? {}).filter((name) => DECIDED.includes(name))) {
    report([...path, 'config', directive], 'key', {
      message: `"${directive}" cannot be set: tls: true makes certificates and the port`,
    });
  }
}

/** `true` says too little about a server that is there already: how it is reached is in its url. */
export function checkExistingTls(
  { report }: RuleContext,
  { tls }: Draft<Instance>,
  place: PlaceKey,
  path: Path,
): void {
  if (typeof tls !== 'boolean') return;
  report([...path, 'tls'], 'key', {
    message: `tls: ${tls} belongs to a provisioned server, and ${path.join('.')} has a ${place}`,
    expected: place === 'sentinel' ? 'tls: {} for servers with TLS' : 'rediss:// for TLS, redis:// without',
  });
}
