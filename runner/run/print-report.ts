/** The terminal report on stdout. */
import type { RunEvent } from '../../reports/events.ts';
import { renderReport } from '../../reports/render/registry.ts';
import type { Results } from '../../reports/results.ts';
import type { Io } from '../cli/io.ts';

export function printReport(results: Results, events: readonly RunEvent[], io: Io): void {
  const { content } = renderReport('terminal', results, {
    events,
    width: io.outIsTty ? Math.min(io.columns, 120) : 100,
    unicode: io.outIsTty,
    colors: io.outColors,
  });
  io.out(content.endsWith('\n') ? content : `${content}\n`);
}
