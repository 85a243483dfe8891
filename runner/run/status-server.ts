/**
 * What a running replication tells and is told over HTTP: metrics, status, health, pause and resume. On the loopback address
 * unless asked otherwise, because it has no login; a web page that somebody visits on this machine must not reach it either,
 * so nothing with an Origin is answered, nor a name that is not ours (DNS rebinding).
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { isIP } from 'node:net';
import { asError, SyncError } from '../../engine/errors.ts';
import type { LinkMonitor } from './link-monitor.ts';
import { stateOf } from './link-states.ts';
import { CONTENT_TYPE, renderMetrics } from './metrics/exposition.ts';
import { METRICS } from './metrics/link-metrics.ts';

export interface StatusServerOptions {
  host: string;
  /** 0 = any free one. */
  port: number;
}

/** The links that are told about and controlled. */
export interface StatusSubject {
  readonly monitors: readonly LinkMonitor[];
  pause(link: string): boolean;
  resume(link: string): boolean;
}

interface Answer {
  status: number;
  type?: string;
  body?: string;
}

const METHODS: Readonly<Record<string, string>> = {
  '/metrics': 'GET',
  '/status': 'GET',
  '/healthz': 'GET',
  '/pause': 'POST',
  '/resume': 'POST',
};

export class StatusServer implements AsyncDisposable {
  readonly #server: Server;
  /** `http://127.0.0.1:9121` */
  readonly url: string;

  private constructor(server: Server, url: string) {
    this.#server = server;
    this.url = url;
  }

  /** @throws SyncError USAGE when the address cannot be listened on. */
  static async open(options: StatusServerOptions, subject: StatusSubject): Promise<StatusServer> {
    const { host, port } = options;
    const server = createServer((request, response) => send(response, answer(request, options, subject)));
    try {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(port, host, resolve);
      });
    } catch (error) {
      throw new SyncError('USAGE', `Metrics cannot be served: ${asError(error).message}`, {
        where: '--metrics-port',
        hint: 'Take another port; 0 takes any free one.',
        cause: error,
      });
    }
    const address = server.address();
    const actual = typeof address === 'object' && address !== null ? address.port : port;
    return new StatusServer(server, `http://${isIP(host) === 6 ? `[${host}]` : host}:${actual}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

function send(response: ServerResponse, { status, type = 'text/plain; charset=utf-8', body }: Answer): void {
  const headers = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };
  response.writeHead(status, body === undefined ? headers : { ...headers, 'content-type': type });
  response.end(body);
}

function answer(request: IncomingMessage, { host }: StatusServerOptions, subject: StatusSubject): Answer {
  if (request.headers.origin !== undefined || !isOurName(request.headers.host, host))
    return { status: 403, body: 'not for web pages\n' };
  const [path = '', query = ''] = (request.url ?? '').split('?');
  const method = METHODS[path];
  if (method === undefined) return { status: 404, body: `one of ${Object.keys(METHODS).join(', ')}\n` };
  if (request.method !== method && !(method === 'GET' && request.method === 'HEAD'))
    return { status: 405, body: `${method} only\n` };
  switch (path) {
    case '/metrics':
      return { status: 200, type: CONTENT_TYPE, body: renderMetrics(METRICS, subject.monitors) };
    case '/status':
      return { status: 200, type: 'application/json', body: describeStatus(subject.monitors) };
    case '/healthz':
      return describeHealth(subject.monitors);
    default:
      return control(path, new URLSearchParams(query).get('link'), subject);
  }
}

/** Who listens on an address is reached by it; a name may be anybody's, except the loopback's own. */
function isOurName(header: string | undefined, host: string): boolean {
  const name = (header ?? '').replace(/:\d*$/, '').replace(/^\[|\]$/g, '');
  return name === '' || name === host || name === 'localhost' || isIP(name) !== 0;
}

function describeStatus(monitors: readonly LinkMonitor[]): string {
  const now = new Date();
  const links = monitors.map(
    (monitor) => stateOf(monitor, now) ?? { link: monitor.plan.id, state: monitor.state },
  );
  return `${JSON.stringify({ links })}\n`;
}

function describeHealth(monitors: readonly LinkMonitor[]): Answer {
  const failed = monitors.filter((monitor) => monitor.hasFailed);
  if (failed.length === 0) return { status: 200, body: 'ok\n' };
  const lines = failed.map(({ plan, state, failure }) => `${plan.id} ${state}: ${failure?.message ?? ''}\n`);
  return { status: 503, body: lines.join('') };
}

function control(path: string, link: string | null, subject: StatusSubject): Answer {
  const tell = (id: string): boolean => (path === '/pause' ? subject.pause(id) : subject.resume(id));
  const ids = link === null ? subject.monitors.map(({ plan }) => plan.id) : [link];
  const told = ids.map(tell);
  if (told.includes(false)) return { status: 404, body: `there is no link ${link ?? ''}\n` };
  return { status: 204 };
}
