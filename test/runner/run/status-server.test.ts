import { request } from 'node:http';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LinkMonitor } from '../../../runner/run/link-monitor.ts';
import { StatusServer, type StatusSubject } from '../../../runner/run/status-server.ts';

class Subject implements StatusSubject {
  readonly monitors = ['a', 'b'].map((id) => new LinkMonitor({ id, source: 's', target: 't' }));
  readonly told: string[] = [];
  pause(link: string): boolean {
    return this.#tell('pause', link);
  }
  resume(link: string): boolean {
    return this.#tell('resume', link);
  }
  #tell(what: string, link: string): boolean {
    const isThere = this.monitors.some(({ plan }) => plan.id === link);
    if (isThere) this.told.push(`${what} ${link}`);
    return isThere;
  }
}

let subject: Subject;
let server: StatusServer;
beforeEach(async () => {
  subject = new Subject();
  server = await StatusServer.open({ host: '127.0.0.1', port: 0 }, subject);
});
afterEach(() => server[Symbol.asyncDispose]());

interface Got {
  status: number;
  type: string;
  text: string;
}

function get(path: string, method = 'GET', headers: Record<string, string> = {}): Promise<Got> {
  return new Promise((resolve, reject) => {
    const asked = request(`${server.url}${path}`, { method, headers }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, type: response.headers['content-type'] ?? '', text }),
      );
    });
    asked.on('error', reject);
    asked.end();
  });
}

test('a port that is given away is found', () => {
  expect(server.url).toMatch(/^http:\/\/127\.0\.0\.1:[1-9]\d+$/);
});

test('metrics, status and health', async () => {
  expect(await get('/metrics')).toMatchObject({
    status: 200,
    type: 'text/plain; version=0.0.4; charset=utf-8',
    text: expect.stringContaining(
      'redis_sync_link_state{link="a",source="s",target="t",state="NotStarted"} 1',
    ),
  });
  const status = await get('/status');
  expect(status).toMatchObject({ status: 200, type: 'application/json' });
  expect(JSON.parse(status.text)).toEqual({
    links: [
      { link: 'a', state: 'NotStarted' },
      { link: 'b', state: 'NotStarted' },
    ],
  });
  expect(await get('/healthz')).toMatchObject({ status: 200, text: 'ok\n' });
  expect(await get('/healthz', 'HEAD')).toMatchObject({ status: 200, text: '' });
});

test('health tells of a link that has failed', async () => {
  subject.monitors[1]?.died({ code: 'POLICY', message: 'the source is empty' });
  expect(await get('/healthz')).toMatchObject({ status: 503, text: 'b Failed: the source is empty\n' });
});

test('pause and resume, one link or all of them', async () => {
  expect(await get('/pause?link=a', 'POST')).toMatchObject({ status: 204 });
  expect(await get('/resume', 'POST')).toMatchObject({ status: 204 });
  expect(await get('/pause?link=c', 'POST')).toMatchObject({ status: 404, text: 'there is no link c\n' });
  expect(subject.told).toEqual(['pause a', 'resume a', 'resume b']);
});

test.each([
  ['a path that is not there', '/', 'GET', {}, 404],
  ['a path below one', '/status/a', 'GET', {}, 404],
  ['a pause that is only looked at', '/pause?link=a', 'GET', {}, 405],
  ['something sent to the metrics', '/metrics', 'POST', {}, 405],
  ['a web page', '/pause?link=a', 'POST', { origin: 'https://evil.example' }, 403],
  ['a web page without an origin it would admit', '/pause', 'POST', { origin: 'null' }, 403],
  ['a name that was made to lead here', '/status', 'GET', { host: 'evil.example:9121' }, 403],
])('%s is refused', async (_what, path, method, headers, status) => {
  expect((await get(path, method, headers)).status).toBe(status);
  expect(subject.told).toEqual([]);
});

test.each(['localhost:9121', '127.0.0.1', '[::1]:9121', '10.0.0.5:9121'])(
  'asked as %s it answers',
  async (host) => {
    expect((await get('/healthz', 'GET', { host })).status).toBe(200);
  },
);

test('a port in use is an error of the command line', async () => {
  const port = Number(new URL(server.url).port);
  await expect(StatusServer.open({ host: '127.0.0.1', port }, subject)).rejects.toMatchObject({
    code: 'USAGE',
    where: '--metrics-port',
    message: expect.stringContaining('EADDRINUSE'),
  });
});
