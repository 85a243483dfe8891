/**
 * One server process of ours: started in a folder of its own, ended by recorded pid and start time.
 *
 *     starting ──answers PING──▶ running ◀──pause/resume──▶ paused
 *        │ exits                   │ kill, stop, crash
 *        ▼                         ▼
 *      (throws)                   gone ──restart──▶ starting
 *
 * The process leads a session of its own: a Ctrl-C in the terminal reaches the runner, which decides what happens to the
 * servers. Its output goes to a file, so it does not depend on the runner being there to read it.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '../../engine/connect/connection.ts';
import { describeEndpoint, type Endpoint } from '../../engine/connect/endpoint.ts';
import { asError, SyncError } from '../../engine/errors.ts';
import { parseInfo } from '../../engine/resp/reply-text.ts';
import type { ProcessLedger, ProcessRecord } from './process-ledger.ts';
import { isAlive, readProcess, signalProcess } from './process-identity.mjs';
import type { MovableClock } from './movable-clock.ts';
import type { OwnCertificates } from './own-certificates.ts';
import type { NodeControl, ProvisionedNode } from './provisioner.ts';
import type { ServerBinary } from './server-binary.ts';
import { explainStartFailure } from './start-failure.ts';

export interface ServerLaunch {
  /** Name of the instance, for messages. */
  instance: string;
  node: string;
  /** A Sentinel is the same program in another mode. */
  role: 'primary' | 'replica' | 'sentinel';
  binary: ServerBinary;
  /** Created. Holds the configuration, the log, and what the server writes. */
  folder: string;
  /** Text of the configuration file. */
  configText: string;
  endpoint: Endpoint;
  /** Set when it speaks TLS. */
  certificates?: OwnCertificates;
  /** Set when it does not go by the machine's. */
  clock?: MovableClock;
  /** Of a cluster node that has one of its own. */
  busPort?: number;
  processes: ProcessLedger;
  readyTimeoutMs: number;
  signal?: AbortSignal;
}

export class ServerProcess implements ProvisionedNode, NodeControl {
  readonly logFile: string;
  readonly certificates?: OwnCertificates;
  readonly moveClock?: (byMs: number) => void;
  readonly #launch: ServerLaunch;
  #child: ChildProcess | undefined;
  #record: ProcessRecord | undefined;
  #exited: Promise<'the server ended'> = Promise.resolve('the server ended');
  /** Where this start's part of the log begins, in bytes. */
  #logStart = 0;

  private constructor(launch: ServerLaunch) {
    this.#launch = launch;
    if (launch.certificates !== undefined) this.certificates = launch.certificates;
    const { clock } = launch;
    if (clock !== undefined) this.moveClock = (byMs) => clock.move(byMs);
    this.logFile = join(launch.folder, 'server.log');
  }

  /**
   * Resolves when the server answers. @throws SyncError PROVISION (it ended, or did not answer in time), with the server's
   * own words; ABORTED; then no process is left. A lost race for the port is a PortTaken.
   */
  static async start(launch: ServerLaunch): Promise<ServerProcess> {
    mkdirSync(launch.folder, { recursive: true });
    writeFileSync(join(launch.folder, 'server.conf'), launch.configText, { mode: 0o600 });
    const server = new ServerProcess(launch);
    await server.#launchAndWait(launch.signal);
    return server;
  }

  get name(): string {
    return this.#launch.node;
  }

  get role(): 'primary' | 'replica' | 'sentinel' {
    return this.#launch.role;
  }

  get endpoint(): Endpoint {
    return this.#launch.endpoint;
  }

  get folder(): string {
    return this.#launch.folder;
  }

  get busPort(): number | undefined {
    return this.#launch.busPort;
  }

  get address(): string {
    return describeEndpoint(this.endpoint);
  }

  get pid(): number {
    return this.#record?.pid ?? -1;
  }

  get control(): NodeControl {
    return this;
  }

  get running(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  async kill(): Promise<void> {
    if (this.#record === undefined) return;
    await this.#launch.processes.end(this.#record);
    this.#launch.clock?.tidy(this.#record.pid);
  }

  async pause(): Promise<void> {
    const record = this.#record;
    if (!record || !signalProcess({ ...record, group: false }, 'SIGSTOP')) return;
    while (isAlive(record) && !readProcess(record.pid)?.state.startsWith('T')) await sleep(1);
  }

  resume(): void {
    if (this.#record) signalProcess({ ...this.#record, group: false }, 'SIGCONT');
  }

  async restart(): Promise<void> {
    await this.kill();
    await this.#launchAndWait(undefined);
  }

  async #launchAndWait(signal: AbortSignal | undefined): Promise<void> {
    try {
      this.#spawn();
      await this.#waitUntilReady(signal);
      this.#launch.clock?.tidy(this.pid);
    } catch (error) {
      await this.kill();
      throw error;
    }
  }

  #spawn(): void {
    const { binary, folder, processes, instance, node, role, clock } = this.#launch;
    const log = openSync(this.logFile, 'a');
    this.#logStart = readFileSync(this.logFile).length;
    const mode = role === 'sentinel' ? ['--sentinel'] : [];
    const child = spawn(binary.path, [join(folder, 'server.conf'), ...mode], {
      cwd: folder,
      detached: true,
      stdio: ['ignore', log, log],
      ...(clock === undefined ? {} : { env: { ...process.env, ...clock.environment } }),
    });
    closeSync(log);
    this.#child = child;
    this.#exited = new Promise((resolve) => {
      child.once('exit', () => resolve('the server ended'));
      child.once('error', () => resolve('the server ended'));
    });
    child.unref();
    this.#record = undefined;
    if (child.pid === undefined) throw this.#failure(`${binary.path} cannot be started.`);
    this.#record = processes.record(child.pid, {
      what: `${instance}.${node}`,
      group: true,
      address: this.address,
      logFile: this.logFile,
    });
  }

  async #waitUntilReady(signal: AbortSignal | undefined): Promise<void> {
    const { readyTimeoutMs } = this.#launch;
    const deadline = performance.now() + readyTimeoutMs;
    let last = 'nothing listens yet';
    for (let waitMs = 2; ; waitMs = Math.min(waitMs * 2, 50)) {
      if (signal?.aborted)
        throw new SyncError('ABORTED', 'Provisioning was interrupted.', { where: this.#launch.instance });
      if (!this.running) throw this.#wordExit();
      // A foreign listener on our port may never answer; our own process has ended long before it times out.
      const answer = await Promise.race([this.#probe(), this.#exited]);
      if (answer === true) return;
      if (answer instanceof SyncError) throw answer;
      last = answer;
      if (performance.now() > deadline)
        throw this.#failure(`The server did not become ready within ${readyTimeoutMs / 1000} s: ${last}.`);
      await sleep(waitMs);
    }
  }

  /** True when it answers; in words why not yet; or an error that waiting does not cure. */
  async #probe(): Promise<true | string | SyncError> {
    try {
      await using connection = await Connection.open(this.endpoint, {
        connectTimeoutMs: 1000,
        replyTimeoutMs: 2000,
      });
      const info = parseInfo(await connection.call('INFO', 'server'));
      // Somebody else may have won the race for the port: then ours is about to end.
      if (Number(info['process_id']) !== this.#child?.pid)
        return `another process answers at ${this.address}`;
      await connection.call('PING');
      // A Sentinel has no data, and no such section.
      const { loading = '0' } = parseInfo(await connection.call('INFO', 'persistence'));
      return loading === '0' ? true : 'the server is loading its data';
    } catch (error) {
      if (error instanceof SyncError && (error.code === 'AUTH' || error.code === 'PERMISSION')) {
        return this.#failure(
          `The started server refuses us: ${error.message}`,
          'Remove user directives from `config`; `requirepass` is understood.',
        );
      }
      return asError(error).message;
    }
  }

  #wordExit(): SyncError {
    const { instance, binary, endpoint } = this.#launch;
    const log = readFileSync(this.logFile).subarray(this.#logStart).toString();
    const reason = explainStartFailure(log);
    const product = `${binary.server}-server ${binary.version}`;
    switch (reason.kind) {
      case 'port-in-use':
        return new PortTaken(instance, endpoint.port, reason.line);
      case 'bad-config': {
        const name = reason.directive.split(/\s+/)[0] ?? '';
        return this.#failure(
          `${product} refuses the directive '${reason.directive}': ${reason.line}`,
          name.startsWith('tls-') && this.certificates !== undefined
            ? `Was it built with TLS? \`binary:\` names another program; without \`tls: true\` instance ${instance} needs none.`
            : `Correct or remove \`config: { ${name}: … }\` of instance ${instance}.`,
        );
      }
      case 'other':
        return this.#failure(`${product} ended at once (${this.#howEnded()}): ${reason.line}`);
      default:
        return reason satisfies never;
    }
  }

  #howEnded(): string {
    return this.#child?.signalCode
      ? `signal ${this.#child.signalCode}`
      : `exit code ${this.#child?.exitCode ?? '?'}`;
  }

  #failure(message: string, hint = `The server's whole log: ${this.logFile}`): SyncError {
    return new SyncError('PROVISION', message, {
      where: `${this.#launch.instance}.${this.#launch.node}`,
      hint,
    });
  }
}

/** The port was taken by somebody between choosing it and binding it, or before. */
export class PortTaken extends SyncError {
  constructor(instance: string, port: number, line: string) {
    super('PROVISION', `Port ${port} is in use by another process: ${line}`, {
      where: instance,
      hint: `Leave \`port\` out of \`config\` to get a free one, or see who has it: ss -ltnp 'sport = :${port}'`,
      retryable: true,
    });
  }
}
