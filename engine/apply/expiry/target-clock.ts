/**
 * What of the target bears on expiries: its clock, whether it is in import mode, how many keys it has expired by itself.
 *
 * Import mode (Valkey 8.1): the server expires nothing, and a client that says `CLIENT IMPORT-SOURCE ON` sees and changes
 * keys whose time has come as a replica would. Whether the mode is on is the operator's decision: it is only used, never
 * switched on, unless the link was told to (`set`); then it is switched off again at the cutover.
 */
import type { Connection } from '../../connect/connection.ts';
import { ClockOffset } from '../../link/clock-offset.ts';
import type { ImportModePolicy } from '../../link/options.ts';
import { parseInfo, textOf } from '../../resp/reply-text.ts';
import type { LinkFinding } from '../finding.ts';

const LOOK_INTERVAL_MS = 5000;
/** Questions after the time with a new connection: the one that was answered fastest counts. */
const GREETINGS = 3;
/** A clock that is so much further ahead than at the last look was set. */
const JUMP_MS = 1000;

export interface TargetClockOptions {
  importMode: ImportModePolicy;
  wallClock: () => number;
  onFinding: (finding: LinkFinding) => void;
}

export class TargetClock {
  readonly #options: TargetClockOptions;
  readonly #clock = new ClockOffset();
  #importing = false;
  /** The server on the other end of this connection may be put into import mode. */
  #knowsImportMode = false;
  /** Keys it had expired when the link was last seen to keep up, and when that was. */
  #expired: { keys: number; atMs: number } | undefined;
  #lookedAtMs = -Infinity;
  #standstill = false;

  constructor(options: TargetClockOptions) {
    this.#options = options;
  }

  /** The target's clock minus ours, ms; undefined while it is not known. */
  get offsetMs(): number | undefined {
    return this.#clock.ms;
  }

  /** It expires nothing by itself, and lets us work on keys that are overdue. */
  get importing(): boolean {
    return this.#importing;
  }

  /** On every new connection, before anything is written. @throws SyncError CONNECT. */
  async greet(connection: Connection): Promise<void> {
    const { wallClock, importMode } = this.#options;
    for (let turn = 0; turn < GREETINGS; turn++) await this.#clock.measure(connection, wallClock);
    if (importMode === 'set') await connection.tryCall('CONFIG', 'SET', 'import-mode', 'yes');
    const reply = await connection.tryCall('CLIENT', 'IMPORT-SOURCE', 'ON');
    this.#knowsImportMode = reply === 'OK' || /not in import mode/i.test(textOf(reply));
    this.#note(reply === 'OK');
  }

  /** At the cutover: what was switched on is switched off. */
  async farewell(connection: Connection): Promise<void> {
    if (this.#options.importMode !== 'set' || !this.#importing) return;
    await connection.tryCall('CONFIG', 'SET', 'import-mode', 'no');
  }

  /** It is time to look again. `caughtUp`: whether the link keeps up with its source. */
  isDue(caughtUp: boolean): boolean {
    if (!caughtUp) this.#standstill = true;
    const again = this.#standstill ? 0 : LOOK_INTERVAL_MS;
    return caughtUp && this.#options.wallClock() - this.#lookedAtMs >= again;
  }

  /** While the link keeps up: has the target expired keys while it did not? @throws SyncError CONNECT. */
  async look(connection: Connection): Promise<void> {
    const { wallClock } = this.#options;
    const askedAtMs = wallClock();
    const [time, stats, importing] = await connection.pipeline([
      ['TIME'],
      ['INFO', 'stats'],
      ...(this.#knowsImportMode ? [['CLIENT', 'IMPORT-SOURCE', 'ON']] : []),
    ]);
    const nowMs = wallClock();
    const beforeMs = this.#clock.ms;
    this.#clock.observe(time, askedAtMs, nowMs);
    const jumpMs = (this.#clock.ms ?? 0) - (beforeMs ?? this.#clock.ms ?? 0);
    this.#note(importing === 'OK');
    this.#lookedAtMs = nowMs;
    const keys = Number(parseInfo(stats ?? null)['expired_keys'] ?? NaN);
    if (this.#expired !== undefined && jumpMs > JUMP_MS) this.#reportJump(keys - this.#expired.keys, jumpMs);
    else if (this.#standstill && this.#expired !== undefined) this.#report(keys - this.#expired.keys, nowMs);
    this.#standstill = false;
    this.#expired = Number.isNaN(keys) ? undefined : { keys, atMs: nowMs };
  }

  /** Another snapshot: what was expired meanwhile comes with it again. */
  restart(): void {
    this.#expired = undefined;
  }

  #note(importing: boolean): void {
    if (importing === this.#importing) return;
    this.#importing = importing;
    this.#options.onFinding({
      code: 'IMPORT_MODE',
      severity: 'notice',
      message: importing
        ? 'The target is in import mode: it expires nothing by itself until that is switched off (CONFIG SET import-mode no).'
        : 'The target is not in import mode any more: it expires keys by its own clock.',
      evidence: { importMode: importing },
    });
  }

  #reportJump(keys: number, jumpMs: number): void {
    if (!(keys > 0) || this.#importing) return;
    this.#options.onFinding({
      code: 'EXPIRY_AT_RISK',
      severity: 'warning',
      message: `The target's clock went ${(jumpMs / 1000).toFixed(1)} s ahead at once. About that time the target expired ${keys} keys by it; those that the source still has are missing until it writes them again, or hold less than at the source.`,
      evidence: { keys, jumpMs: Math.round(jumpMs) },
    });
  }

  #report(keys: number, nowMs: number): void {
    if (!(keys > 0) || this.#importing) return;
    const standstillMs = nowMs - (this.#expired?.atMs ?? nowMs);
    this.#options.onFinding({
      code: 'EXPIRY_AT_RISK',
      severity: 'warning',
      message: `The link stood still for about ${Math.round(standstillMs / 1000)} s. Meanwhile the target expired ${keys} keys by its own clock; those the source had renewed in that time are lost or hold less than at the source.`,
      evidence: { keys, standstillMs },
    });
  }
}
