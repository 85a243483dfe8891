/** All report formats. Adding one is one file and one line here. Every renderer is a pure function of its arguments. */
import type { RunEvent } from '../events.ts';
import type { Results } from '../results.ts';
import { buildDocument, reasonsFirst, viewOf } from './build-document.ts';
import type { ReportDocument } from './document.ts';
import { renderTimeline } from './html-timeline.ts';
import { renderHtml } from './html.ts';
import { renderJunit } from './junit.ts';
import { renderMarkdown } from './markdown.ts';
import { renderTerminal, type Colors } from './terminal.ts';

export interface RenderExtras {
  /** The run's history; curves and marks of time come from it. */
  events: readonly RunEvent[];
  /** For the terminal: columns (default 80), symbols beyond ASCII (default no), picocolors (default none). */
  width?: number;
  unicode?: boolean;
  colors?: Colors;
}

export interface RenderedReport {
  fileName: string;
  content: string;
}

interface ReportFormat {
  fileName: string;
  render: (results: Results, extras: RenderExtras) => string;
}

const FORMATS: Readonly<Record<string, ReportFormat>> = {
  terminal: {
    fileName: 'report.txt',
    render: (results, extras) =>
      renderTerminal(documentOf(results, extras, 10), {
        width: extras.width ?? 80,
        unicode: extras.unicode ?? false,
        ...(extras.colors === undefined ? {} : { colors: extras.colors }),
      }),
  },
  json: { fileName: 'results.json', render: (results) => `${JSON.stringify(results, null, 2)}\n` },
  html: {
    fileName: 'report.html',
    render: (results, extras) =>
      renderHtml(
        reasonsFirst(documentOf(results, extras, 200)),
        renderTimeline(viewOf(results, extras.events, { differencesMax: 0 })),
      ),
  },
  markdown: {
    fileName: 'report.md',
    render: (results, extras) => renderMarkdown(reasonsFirst(documentOf(results, extras, 20))),
  },
  junit: {
    fileName: 'junit.xml',
    render: (results, extras) => renderJunit(viewOf(results, extras.events, { differencesMax: 0 })),
  },
};

function documentOf(results: Results, extras: RenderExtras, differencesMax: number): ReportDocument {
  return buildDocument(viewOf(results, extras.events, { differencesMax }));
}

/** Names for `report.formats` of a spec. */
export const REPORT_FORMATS: readonly string[] = Object.keys(FORMATS);

/** @throws RangeError for a format that is not in REPORT_FORMATS; the spec's schema allows no other. */
export function renderReport(format: string, results: Results, extras: RenderExtras): RenderedReport {
  const found = FORMATS[format];
  if (found === undefined)
    throw new RangeError(`No report format ${format}; there are ${REPORT_FORMATS.join(', ')}.`);
  return { fileName: found.fileName, content: found.render(results, extras) };
}
