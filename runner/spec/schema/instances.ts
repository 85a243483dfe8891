/** `instances:` – the databases of a spec: what is provisioned for the run, and what exists already. */
import { DEFAULT_SENTINELS, DEFAULT_SHARDS } from '../../plan/defaults.ts';
import { closed, list, NAME_PATTERN, NAME_RULE, text, whole, type JsonSchema } from './piece.ts';

const passwordReference: JsonSchema = {
  description:
    'The password, as a reference to an environment variable: ${NAME} or ${NAME:?message}. Never the password itself.',
  type: 'string',
  quantity: 'secret',
  pattern: '^\\$\\{[A-Za-z_][A-Za-z0-9_]*(:\\?[^}]*)?\\}$',
};

const sentinel = closed(
  'An existing instance that Sentinels watch: they are asked for its primary on every connect. `username`, `password` and `tls` of the instance are those of the servers; with `tls: {}` they are reached by TLS.',
  {
    name: text('Name under which the Sentinels watch it, as in `sentinel monitor NAME …`.'),
    nodes: list('The Sentinels, one after the other until one knows: redis://host[:26379], or rediss://.', {
      type: 'string',
      minLength: 1,
    }),
    username: text('ACL user to log in to the Sentinels.'),
    password: passwordReference,
    passwordFile: text('File that holds the password of the Sentinels. Relative to the spec.'),
  },
  { required: ['name', 'nodes'] },
);

const endpointTls = closed('TLS to an existing endpoint. File names are relative to the spec.', {
  ca: text("PEM file with the certificate authority to trust instead of the system's."),
  cert: text('PEM file with the client certificate.'),
  key: text('PEM file with the key of the client certificate.'),
  serverName: text('Name that the server certificate must be for, if it is not the host of the url.'),
  minVersion: { description: 'Lowest TLS version to accept.', type: 'string', enum: ['TLSv1.2', 'TLSv1.3'] },
  maxVersion: { description: 'Highest TLS version to accept.', type: 'string', enum: ['TLSv1.2', 'TLSv1.3'] },
  insecure: {
    description: 'Accept any certificate. Only for throw-away servers.',
    type: 'boolean',
    default: false,
  },
});

const tls: JsonSchema = {
  description:
    'true: a provisioned standalone and its replicas speak TLS only, with certificates that the program openssl makes for the run. Settings: how an existing endpoint is reached.',
  oneOf: [{ description: 'A provisioned standalone speaks TLS only.', type: 'boolean' }, endpointTls],
};

const config: JsonSchema = {
  description:
    'redis.conf directives of a provisioned server, e.g. { maxmemory: 256mb, repl-backlog-size: 1mb }. true and false are written as yes and no.',
  type: 'object',
  additionalProperties: { type: ['string', 'number', 'boolean'] },
  propertyNames: { pattern: '^[a-z][a-z0-9-]*$', rule: 'a redis.conf directive in lower case' },
};

const capabilities: JsonSchema = {
  description:
    'Declared facts of a cloud product, e.g. { tde: false, edition: enterprise }. Rules may use them; they are never reported as measured.',
  type: 'object',
  additionalProperties: { type: ['string', 'number', 'boolean'] },
};

export const instanceSchema = closed(
  'One database. Without url, urls or sentinel it is provisioned for the run and thrown away afterwards.',
  {
    kind: {
      description:
        'What it is made of: a primary with replicas (standalone), the same watched by Sentinels of its own (sentinel), several primaries that share the slots (cluster), a primary with replicas of a Codis cluster (codis-group).',
      type: 'string',
      enum: ['standalone', 'sentinel', 'cluster', 'codis-group'],
      default: 'standalone',
    },
    version: {
      description:
        'Wanted version of a provisioned server: "7" or "7.2". Without it, the redis-server or valkey-server that is found.',
      type: ['string', 'number'],
      pattern: '^[0-9]+(\\.[0-9]+){0,2}$',
      rule: 'a version such as "7" or "7.2"',
    },
    provider: {
      description: 'How it is provisioned: as processes of this machine, or as containers.',
      type: 'string',
      enum: ['process', 'container'],
      default: 'process',
    },
    image: text('Image of provider: container, pulled if it is not there.', {
      examples: ['redis:7.2', 'valkey/valkey:8'],
    }),
    binary: text(
      'Server program of a provisioned server: a name on the PATH, or a path relative to the spec; in a container, inside the image.',
    ),
    replicas: whole(
      'Replicas of a provisioned server, in a cluster of each primary. Default: 1 in a sentinel and a codis-group, else 0.',
      0,
      { maximum: 16 },
    ),
    shards: whole('Primaries of a provisioned cluster.', 1, { maximum: 32, default: DEFAULT_SHARDS }),
    sentinels: whole('Sentinels of a provisioned instance of kind sentinel.', 1, {
      maximum: 16,
      default: DEFAULT_SENTINELS,
    }),
    config,
    url: text('An existing endpoint: redis://[user@]host[:port], or rediss:// for TLS. No password in it.', {
      examples: ['redis://10.0.0.5:6379'],
    }),
    urls: list(
      'Several possible addresses of one existing instance, instead of url: the one that is a primary is used, and looked for again on every connect.',
      { type: 'string', minLength: 1 },
      { examples: [['redis://10.0.0.5:6379', 'redis://10.0.0.6:6379']] },
    ),
    sentinel,
    username: text('ACL user to log in as, if it is not in the url.'),
    password: passwordReference,
    passwordFile: text(
      'File that holds the password (a trailing line break is ignored). Relative to the spec. It is read again at every login, so a new password is picked up while a link runs.',
    ),
    tls,
    disposable: {
      description:
        'Only with a url, urls or sentinel: data, workload and faults may write to this endpoint. Without it a rehearsal refuses to touch it.',
      type: 'boolean',
      default: false,
    },
    capabilities,
  },
);

export const instancesSchema: JsonSchema = {
  description: 'The databases, by name. The names are used everywhere else in the spec.',
  type: 'object',
  minProperties: 1,
  additionalProperties: { $ref: '#/definitions/instance' },
  propertyNames: { pattern: NAME_PATTERN, rule: NAME_RULE },
};
