/**
 * One server in a container of its own, on the machine's own network: the address it is reached at is the one it has, and stays
 * the same when it is killed and started again (a new container over the same folder).
 *
 *     starting ──answers──▶ running ◀──pause/resume──▶ paused ──kill──▶ gone ──restart──▶ starting
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '../../../engine/connect/connection.ts';
import { describeEndpoint, type Endpoint } from '../../../engine/connect/endpoint.ts';
import { asError, SyncError } from '../../../engine/errors.ts';
import { parseInfo } from '../../../engine/resp/reply-text.ts';
import type { ProcessLedger, ProcessRecord } from '../process-ledger.ts';
import type { NodeControl, ProvisionedNode } from '../provisioner.ts';
import { PortTaken } from '../server-process.ts';
import { explainStartFailure } from '../start-failure.ts';
import type { ContainerEngine } from './engine-client.ts';

export interface ContainerLaunch {
  engine: ContainerEngine;
  image: string;
  /** The server program inside the image. */
  program: string;
  labels: Readonly<Record<string, string>>;
  instance: string;
  node: string;
  role: 'primary' | 'replica';
  folder: string;
  configText: string;
  endpoint: Endpoint;
  processes: ProcessLedger;
  readyTimeoutMs: number;
  signal?: AbortSignal;
}

export class ContainerServer implements ProvisionedNode, NodeControl {
  readonly logFile: string;
  readonly #launch: ContainerLaunch;
  readonly #configFile: string;
  #id: string | undefined;
  #record: ProcessRecord | undefined;

  private constructor(launch: ContainerLaunch) {
    this.#launch = launch;
    this.#configFile = join(launch.folder, 'server.conf');
    this.logFile = join(launch.folder, 'server.log');
  }

  /** Resolves when the server answers. @throws SyncError PROVISION, ABORTED, or PortTaken; then nothing is left. */
  static async start(launch: ContainerLaunch): Promise<ContainerServer> {
    mkdirSync(launch.folder, { recursive: true });
    const server = new ContainerServer(launch);
    // What it prints before it has read this is in the engine's log.
    const text = `${launch.configText}logfile ${JSON.stringify(server.logFile)}\n`;
    writeFileSync(server.#configFile, text, { mode: 0o600 });
    await server.#launchAndWait(launch.signal);
    return server;
  }

  get name(): string {
    return this.#launch.node;
  }

  get role(): 'primary' | 'replica' {
    return this.#launch.role;
  }

  get endpoint(): Endpoint {
    return this.#launch.endpoint;
  }

  get address(): string {
    return describeEndpoint(this.endpoint);
  }

  get folder(): string {
    return this.#launch.folder;
  }

  get pid(): number | undefined {
    return this.#record?.pid;
  }

  get control(): NodeControl {
    return this;
  }

  async kill(): Promise<void> {
    const { engine, processes } = this.#launch;
    if (this.#id !== undefined) {
      await engine.kill(this.#id);
      await engine.remove(this.#id);
    }
    if (this.#record !== undefined) await processes.end(this.#record);
    this.#id = undefined;
    this.#record = undefined;
  }

  async pause(): Promise<void> {
    if (this.#id !== undefined) await this.#launch.engine.pause(this.#id);
  }

  /** Takes effect a moment later. A container that is gone by then needs none. */
  resume(): void {
    if (this.#id !== undefined) this.#launch.engine.unpause(this.#id).catch(() => undefined);
  }

  async restart(): Promise<void> {
    await this.kill();
    await this.#launchAndWait(undefined);
  }

  async #launchAndWait(signal: AbortSignal | undefined): Promise<void> {
    try {
      await this.#run();
      await this.#waitUntilReady(signal);
    } catch (error) {
      await this.kill();
      throw error;
    }
  }

  async #run(): Promise<void> {
    const { engine, image, program, labels, instance, node, folder, processes } = this.#launch;
    const id = await engine.run({
      name: `redis-sync-${instance}-${node}-${this.endpoint.port}`,
      image,
      command: [program, this.#configFile],
      labels,
      folder,
      user: `${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`,
    });
    this.#id = id;
    const { pid } = await engine.inspect(id);
    // Known here when the engine runs on this machine: then the watchdog ends it even if we are killed.
    this.#record =
      pid > 0
        ? processes.record(pid, {
            what: `${instance}.${node}`,
            group: false,
            address: this.address,
            logFile: this.logFile,
          })
        : undefined;
  }

  async #waitUntilReady(signal: AbortSignal | undefined): Promise<void> {
    const { readyTimeoutMs, instance, engine } = this.#launch;
    const deadline = performance.now() + readyTimeoutMs;
    for (let waitMs = 5; ; waitMs = Math.min(waitMs * 2, 50)) {
      if (signal?.aborted)
        throw new SyncError('ABORTED', 'Provisioning was interrupted.', { where: instance });
      const answer = await this.#probe();
      if (answer === true) return;
      const { status, exitCode } = await engine.inspect(this.#id ?? '');
      if (status !== 'running') throw await this.#wordExit(exitCode);
      if (performance.now() > deadline)
        throw this.#failure(
          `The server did not become ready within ${readyTimeoutMs / 1000} s: ${answer}.`,
          'The container must reach the network of this machine (`docker run --network host`).',
        );
      await sleep(waitMs);
    }
  }

  /** True when it answers; in words why not yet. */
  async #probe(): Promise<true | string> {
    try {
      await using connection = await Connection.open(this.endpoint, {
        connectTimeoutMs: 1000,
        replyTimeoutMs: 2000,
      });
      const info = parseInfo(await connection.call('INFO', 'server'));
      // Somebody else may have won the race for the port: then ours is about to end.
      if (info['config_file'] !== this.#configFile) return `another server answers at ${this.address}`;
      const persistence = parseInfo(await connection.call('INFO', 'persistence'));
      return persistence['loading'] === '0' ? true : 'the server is loading its data';
    } catch (error) {
      return asError(error).message;
    }
  }

  async #wordExit(exitCode: number): Promise<SyncError> {
    const { instance, image, program, engine, endpoint } = this.#launch;
    const printed = this.#id === undefined ? '' : await engine.output(this.#id);
    const reason = explainStartFailure(`${printed.replaceAll('\r', '')}\n${this.#log()}`);
    switch (reason.kind) {
      case 'port-in-use':
        return new PortTaken(instance, endpoint.port, reason.line);
      case 'bad-config':
        return this.#failure(
          `${program} of ${image} refuses the directive '${reason.directive}': ${reason.line}`,
          `Correct or remove it in \`config\` of instance ${instance}.`,
        );
      case 'other':
        return this.#failure(`${program} of ${image} ended at once (exit code ${exitCode}): ${reason.line}`);
      default:
        return reason satisfies never;
    }
  }

  #log(): string {
    try {
      return readFileSync(this.logFile, 'utf8');
    } catch {
      // It ended before it had one.
      return '';
    }
  }

  #failure(message: string, hint = `The server's log, if it came that far: ${this.logFile}`): SyncError {
    return new SyncError('PROVISION', message, {
      where: `${this.#launch.instance}.${this.#launch.node}`,
      hint,
    });
  }
}
