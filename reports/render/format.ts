/** Numbers for people: durations, sizes and rates, three significant digits, the same on every machine. */
import { formatCount } from '../display.ts';

/** `850 ms`, `2.94 s`, `1 min 05 s`, `2 h 03 min`. */
export function formatDuration(ms: number): string {
  if (ms < 1) return ms > 0 ? '< 1 ms' : '0 ms';
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${significant(ms / 1000)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${pad(seconds % 60)} s`;
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${pad(minutes % 60)} min`;
}

const UNITS = ['bytes', 'KB', 'MB', 'GB', 'TB'];

/** Decimal units: `64 bytes`, `1.25 MB`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? formatCount(value) : significant(value)} ${UNITS[unit]}`;
}

/** Megabytes (10⁶) per second, or `–` when nothing can be said. */
export function formatMegabytesPerSecond(bytes: number, durationMs: number): string {
  return durationMs > 0 ? significant(bytes / durationMs / 1000) : '–';
}

/** Things per second, or `–`. */
export function formatPerSecond(count: number, durationMs: number): string {
  return durationMs > 0 ? formatCount((count / durationMs) * 1000) : '–';
}

/** At most three digits that mean something: `0.047`, `2.94`, `12.5`, `843`. */
export function significant(value: number): string {
  if (value === 0) return '0';
  if (Math.abs(value) >= 99.95) return formatCount(value);
  return String(Number(value.toPrecision(3)));
}

/** Absolute time of an expiry, UTC; `none` for null. */
export function formatExpiry(expireAtMs: number | null): string {
  if (expireAtMs === null) return 'no expiry';
  const date = new Date(expireAtMs);
  return Number.isNaN(date.getTime()) ? `expires at ${expireAtMs} ms` : `expires ${date.toISOString()}`;
}

function pad(value: number): string {
  return String(value).padStart(2, '0');
}
