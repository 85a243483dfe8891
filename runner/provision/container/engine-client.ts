/**
 * A container engine over its own HTTP API (Docker Engine API 1.40 and later; Podman speaks it too): the dozen requests a
 * rehearsal needs. Spoken directly: a client library brings a hundred packages with it for them, and adds nothing to what the
 * engine answers.
 */
import { existsSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { asError, SyncError } from '../../../engine/errors.ts';

const REQUEST_TIMEOUT_MS = 60_000;
/** An image may be large, and the registry far away. */
const PULL_TIMEOUT_MS = 600_000;

export interface ContainerSpec {
  name: string;
  image: string;
  /** The program and its arguments; the image's own entry point is not used. */
  command: readonly string[];
  labels: Readonly<Record<string, string>>;
  /** Mounted at the same path, writable. */
  folder?: string;
  /** `uid:gid`: what it writes belongs to us. */
  user: string;
}

export interface ContainerState {
  /** `running`, `paused`, `exited` …; undefined: there is no such container. */
  status: string | undefined;
  exitCode: number;
  /** Its first process as this machine sees it; 0 when it does not run. */
  pid: number;
}

interface Answer {
  status: number;
  body: Buffer;
}

export class ContainerEngine {
  readonly #where: { socketPath: string } | { host: string; port: number };
  readonly address: string;

  private constructor(address: string, where: { socketPath: string } | { host: string; port: number }) {
    this.address = address;
    this.#where = where;
  }

  /** The engine that answers. @throws SyncError PROVISION when none does. */
  static async open(env: Readonly<Record<string, string | undefined>>): Promise<ContainerEngine> {
    const engine = ContainerEngine.#find(env);
    try {
      await engine.#expect('GET', '/_ping', [200]);
    } catch (error) {
      throw new SyncError(
        'PROVISION',
        `No container engine answers at ${engine.address}: ${asError(error).message}`,
        {
          hint: 'Start Docker (or Podman with its API socket), or set DOCKER_HOST; or leave `provider` out to use processes.',
          cause: error,
        },
      );
    }
    return engine;
  }

  static #find(env: Readonly<Record<string, string | undefined>>): ContainerEngine {
    const wanted = env['DOCKER_HOST'] ?? '';
    const tcp = /^(?:tcp|http):\/\/([^:/]+):(\d+)\/?$/.exec(wanted);
    if (tcp !== null) return new ContainerEngine(wanted, { host: tcp[1] ?? '', port: Number(tcp[2]) });
    const candidates = [
      ...(wanted.startsWith('unix://') ? [wanted.slice('unix://'.length)] : []),
      '/var/run/docker.sock',
      join(env['XDG_RUNTIME_DIR'] ?? '/run', 'docker.sock'),
      join(env['HOME'] ?? '/', '.docker/run/docker.sock'),
    ];
    const [first = ''] = candidates;
    const socketPath = wanted === '' ? (candidates.find((path) => existsSync(path)) ?? first) : first;
    return new ContainerEngine(`unix://${socketPath}`, { socketPath });
  }

  /** Pulls the image unless it is there. @throws SyncError PROVISION. */
  async provide(image: string): Promise<void> {
    const there = await this.#send('GET', `/images/${encodeURIComponent(image)}/json`);
    if (there.status === 200) return;
    const tagged = /[:@][^/]+$/.test(image) ? image : `${image}:latest`;
    const path = `/images/create?fromImage=${encodeURIComponent(tagged)}`;
    const pulled = await this.#send('POST', path, undefined, PULL_TIMEOUT_MS);
    // It answers 200 before it has begun; what went wrong is in the last line.
    const failure = /"error":"((?:[^"\\]|\\.)*)"/.exec(pulled.body.toString())?.[1];
    if (pulled.status === 200 && failure === undefined) return;
    throw new SyncError('PROVISION', `The image ${image} cannot be had: ${failure ?? messageOf(pulled)}`, {
      hint: `Is the name right, and the registry reachable? Try: docker pull ${tagged}`,
    });
  }

  /** Creates and starts it. @returns its id. @throws SyncError PROVISION; then nothing of it is left. */
  async run(spec: ContainerSpec): Promise<string> {
    const created = await this.#expect(
      'POST',
      `/containers/create?name=${encodeURIComponent(spec.name)}`,
      [201],
      {
        Image: spec.image,
        Entrypoint: [],
        Cmd: spec.command,
        User: spec.user,
        Labels: spec.labels,
        ...(spec.folder === undefined ? {} : { WorkingDir: spec.folder }),
        // A raw stream of what it prints: without one, every line comes in a frame.
        Tty: true,
        HostConfig: {
          // The addresses that servers announce to each other are those that we reach them at.
          NetworkMode: 'host',
          ...(spec.folder === undefined ? {} : { Binds: [`${spec.folder}:${spec.folder}`] }),
        },
      },
    );
    const parsed: unknown = JSON.parse(created.body.toString());
    const id = readText(parsed, 'Id');
    try {
      await this.#expect('POST', `/containers/${id}/start`, [204]);
    } catch (error) {
      await this.remove(id);
      throw error;
    }
    return id;
  }

  async inspect(id: string): Promise<ContainerState> {
    const answer = await this.#send('GET', `/containers/${id}/json`);
    if (answer.status !== 200) return { status: undefined, exitCode: 0, pid: 0 };
    const parsed: unknown = JSON.parse(answer.body.toString());
    const state = readField(parsed, 'State');
    return {
      status: readText(state, 'Status'),
      exitCode: Number(readField(state, 'ExitCode') ?? 0),
      pid: Number(readField(state, 'Pid') ?? 0),
    };
  }

  /** Freezes all of it; connections stay open. @throws SyncError PROVISION. */
  async pause(id: string): Promise<void> {
    await this.#expect('POST', `/containers/${id}/pause`, [204]);
  }

  /** Nothing when it is not paused. */
  async unpause(id: string): Promise<void> {
    await this.#send('POST', `/containers/${id}/unpause`);
  }

  /** Ends it at once, paused or not, and waits until it has. Nothing when it does not run. */
  async kill(id: string): Promise<void> {
    await this.#send('POST', `/containers/${id}/kill`);
    // A frozen process gets its signal when it is thawed.
    await this.unpause(id);
    await this.#send('POST', `/containers/${id}/wait`);
  }

  /** Ends and removes it. Nothing when it is gone. */
  async remove(id: string): Promise<void> {
    await this.#send('DELETE', `/containers/${id}?force=true&v=true`);
  }

  /** Everything it printed; resolves when it has ended. */
  async output(id: string): Promise<string> {
    await this.#send('POST', `/containers/${id}/wait`);
    return (await this.#send('GET', `/containers/${id}/logs?stdout=1&stderr=1`)).body.toString();
  }

  /** Ids and labels of all containers with a label, running or not. */
  async labelled(label: string): Promise<{ id: string; labels: Record<string, string> }[]> {
    const filters = encodeURIComponent(JSON.stringify({ label: [label] }));
    const answer = await this.#expect('GET', `/containers/json?all=true&filters=${filters}`, [200]);
    const parsed: unknown = JSON.parse(answer.body.toString());
    if (!Array.isArray(parsed)) return [];
    return parsed.map((row: unknown) => {
      const labels = Object.entries(Object(readField(row, 'Labels')));
      return { id: readText(row, 'Id'), labels: Object.fromEntries(labels.map(([k, v]) => [k, String(v)])) };
    });
  }

  async #expect(method: string, path: string, statuses: readonly number[], body?: object): Promise<Answer> {
    const answer = await this.#send(method, path, body);
    if (statuses.includes(answer.status)) return answer;
    throw new SyncError('PROVISION', `The container engine answered ${answer.status}: ${messageOf(answer)}`, {
      where: this.address,
    });
  }

  #send(method: string, path: string, body?: object, timeoutMs = REQUEST_TIMEOUT_MS): Promise<Answer> {
    const text = body === undefined ? '' : JSON.stringify(body);
    return new Promise((resolve, reject) => {
      const headers = {
        host: 'engine',
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(text),
      };
      const sent = request({ ...this.#where, method, path, headers, timeout: timeoutMs }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.once('error', reject);
        response.once('end', () =>
          resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks) }),
        );
      });
      sent.once('timeout', () => sent.destroy(new Error(`no answer within ${timeoutMs / 1000} s`)));
      sent.once('error', (error) =>
        reject(
          new SyncError('PROVISION', `The container engine does not answer: ${error.message}`, {
            where: this.address,
            cause: error,
          }),
        ),
      );
      sent.end(text);
    });
  }
}

function messageOf({ body }: Answer): string {
  try {
    return readText(JSON.parse(body.toString()), 'message');
  } catch {
    return body.toString().slice(0, 200);
  }
}

function readField(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null
    ? Object.entries(value).find(([key]) => key === name)?.[1]
    : undefined;
}

function readText(value: unknown, name: string): string {
  const field = readField(value, name);
  return typeof field === 'string' ? field : '';
}
