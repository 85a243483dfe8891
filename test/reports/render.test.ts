/** What every form must contain, and what none may let through. */
import { execFileSync } from 'node:child_process';
import { stripVTControlCharacters } from 'node:util';
import picocolors from 'picocolors';
import { describe, expect, test } from 'vitest';
import type { Results } from '../../reports/results.ts';
import { REPORT_FORMATS, renderReport } from '../../reports/render/registry.ts';
import { DIFFERENCES, EVENTS, FAILED, PASSED } from './sample-runs.ts';

const extras = { events: EVENTS };
const render = (format: string, results: Results = FAILED, more = {}): string =>
  renderReport(format, results, { ...extras, ...more }).content;

/** Text that would be code, formatting or an escape sequence wherever it got through. */
const HOSTILE =
  '</title><script>alert(1)</script>"\' & | `x` **b** [l](javascript:0) \x1b[31m \x00 \u202e ]]> \n# h';

function hostileResults(): Results {
  const [difference] = DIFFERENCES;
  if (difference === undefined || FAILED.comparison === null)
    throw new Error('the sample run has differences');
  const side = { type: HOSTILE, length: 1, expireAtMs: null, text: HOSTILE };
  const hostile = { ...difference, key: HOSTILE, link: HOSTILE, source: side, target: side, detail: HOSTILE };
  return {
    ...FAILED,
    summary: HOSTILE,
    run: { ...FAILED.run, name: HOSTILE, spec: HOSTILE, folder: HOSTILE },
    instances: FAILED.instances.map((instance) => ({ ...instance, instance: HOSTILE, version: HOSTILE })),
    links: FAILED.links.map((link) => ({ ...link, link: HOSTILE, errors: { [HOSTILE]: 1 } })),
    comparison: {
      ...FAILED.comparison,
      differences: [hostile],
      unverified: { [HOSTILE]: 1 },
      method: HOSTILE,
    },
    checks: [{ check: HOSTILE, verdict: 'fail', summary: HOSTILE, counts: {} }],
    findings: FAILED.findings.map((finding) => ({ ...finding, message: HOSTILE })),
    precheck: FAILED.precheck.map((row) => ({
      ...row,
      verdict: 'FAIL' as const,
      measured: HOSTILE,
      subject: HOSTILE,
    })),
    faults: (FAILED.faults ?? []).map((fault) => ({
      ...fault,
      step: HOSTILE,
      fault: HOSTILE,
      reason: HOSTILE,
      where: HOSTILE,
    })),
    workload: FAILED.workload.map((workload) => ({ ...workload, name: HOSTILE })),
    error: { code: HOSTILE, message: HOSTILE, where: HOSTILE, hint: HOSTILE },
    files: { [HOSTILE]: HOSTILE },
  };
}

test('the formats have names and file names of their own; another is refused', () => {
  expect(REPORT_FORMATS).toEqual(['terminal', 'json', 'html', 'markdown', 'junit']);
  const names = REPORT_FORMATS.map((format) => renderReport(format, PASSED, extras).fileName);
  expect(new Set(names).size).toBe(names.length);
  expect(() => renderReport('pdf', PASSED, extras)).toThrow(RangeError);
});

describe.each(REPORT_FORMATS.filter((format) => format !== 'junit'))('%s', (format) => {
  test('is the same for the same run', () => {
    expect(render(format)).toBe(render(format));
  });

  test('shows the key, the class and both values of a difference', () => {
    const content = render(format).replaceAll('\\_', '_').replaceAll('&quot;', '"').replaceAll('\\"', '"');
    for (const word of ['VALUE_MISMATCH', 'user:17', '"36"', '"37"', 'TTL_MISMATCH', 'session 9']) {
      expect(content).toContain(word);
    }
  });

  test('renders a run of which nothing is known', () => {
    const empty: Results = {
      ...PASSED,
      verdict: 'unknown',
      links: [],
      phases: [],
      workload: [],
      checks: [],
      precheck: [],
      instances: [],
      comparison: null,
      files: {},
    };
    expect(renderReport(format, empty, { events: [] }).content).not.toMatch(/undefined|NaN|Infinity/);
  });

  test('has no value that is none', () => {
    expect(render(format)).not.toMatch(/undefined|NaN|Infinity|\[object/);
  });
});

function lines(results: Results, more = {}): string[] {
  return render('terminal', results, more).split('\n');
}

describe('terminal', () => {
  test('begins with the verdict in a sentence and ends with it', () => {
    expect(lines(PASSED, { unicode: true })[0]).toMatch(/^✔ PASS {2}All 54,120 keys are equal/);
    expect(lines(FAILED).at(0)).toMatch(/^x FAIL {2}Source and target differ: 1 key missing/);
    expect(lines(FAILED).at(-2)).toBe('x FAIL  exit code 1');
  });

  test('tells the story in order', () => {
    const titles = lines(FAILED).filter((line) => /^[A-Z]/.test(line));
    expect(titles).toEqual([
      'What ended the run',
      'Phases',
      'Links',
      'Data',
      'Differences',
      'Findings',
      'Checks',
      'Prechecks',
      'Timeline',
      'Workload',
      'Instances',
      'Files',
    ]);
  });

  test.each([60, 80, 100, 160])('keeps to %i columns, but for what is to be copied', (width) => {
    const long = lines(FAILED, { width, unicode: true }).filter(
      (line) => line.length > width && !line.includes('$ '),
    );
    expect(long).toEqual([]);
  });

  test('is ASCII without unicode', () => {
    expect(render('terminal')).toMatch(/^[\n\x20-\x7e]*$/);
    expect(render('terminal', hostileResults())).toMatch(/^[\n\x20-\x7e]*$/);
  });

  test('colours are only added, never change the layout', () => {
    const colours = picocolors.createColors(true);
    const coloured = render('terminal', FAILED, { colors: colours });
    expect(coloured).toContain(colours.bold(colours.red('x FAIL')));
    expect(stripVTControlCharacters(coloured)).toBe(render('terminal'));
  });

  test('lets no escape sequence of a server through', () => {
    expect(render('terminal', hostileResults(), { unicode: true })).not.toMatch(/[^\P{Cc}\n]|\u202e/u);
  });

  test('no line ends in blanks', () => {
    expect(lines(FAILED).filter((line) => /\s$/.test(line))).toEqual([]);
  });

  test('prints at most ten differences and counts the rest', () => {
    const [first] = DIFFERENCES;
    if (FAILED.comparison === null || first === undefined) throw new Error('the sample run has differences');
    const differences = Array.from({ length: 25 }, (_, index) => ({ ...first, key: `"k${index}"` }));
    const totals = { ...FAILED.comparison.totals, VALUE_MISMATCH: 1000, MISSING_KEY: 0, TTL_MISMATCH: 0 };
    const content = render('terminal', {
      ...FAILED,
      comparison: { ...FAILED.comparison, differences, totals },
    });
    expect(content).toContain('"k9"');
    expect(content).not.toContain('"k10"');
    expect(content).toContain('... and 990 more (results.json lists 25).');
  });

  test('gives lines to copy for both sides, at the node that was read', () => {
    const content = render('terminal');
    expect(content).toContain('$ redis-cli -h 127.0.0.1 -p 6401 --no-raw HGETALL user:17\n');
    expect(content).toContain('$ redis-cli -h 127.0.0.1 -p 6402 --no-raw HGETALL user:17\n');
    expect(content).toContain("$ redis-cli -h 127.0.0.1 -p 6402 --no-raw PTTL 'session 9'\n");
    expect(content).toContain('The servers of this run are gone.');
    expect(render('terminal', { ...FAILED, run: { ...FAILED.run, kept: true } })).not.toContain('are gone');
  });
});

describe('html', () => {
  const html = render('html');

  test('loads nothing from elsewhere and runs nothing', () => {
    expect(html).not.toMatch(/<(script|link|img|iframe|object)\b|\son\w+=|url\(|@import|src=|https?:/i);
  });

  test('lets nothing of the data become markup', () => {
    const hostile = render('html', hostileResults());
    expect(hostile.match(/<\/title>/g)?.length).toBe(hostile.match(/<title>/g)?.length);
    const tags = new Set([...hostile.matchAll(/<\/?([a-z0-9]+)/gi)].map(([, tag]) => tag));
    expect([...tags].filter((tag) => tag === 'b' || tag === 'script')).toEqual([]);
    expect(hostile).not.toMatch(/[^\P{Cc}\n]|\u202e/u);
  });

  test('is well formed', () => {
    const open: string[] = [];
    const mismatched: string[] = [];
    for (const [, close, tag = '', rest = ''] of html.matchAll(/<(\/?)([a-z][a-z0-9]*)([^>]*)>/gi)) {
      if (tag === 'meta' || rest.endsWith('/')) continue;
      if (close === '') open.push(tag);
      else if (open.pop() !== tag) mismatched.push(tag);
    }
    expect([...open, ...mismatched]).toEqual([]);
  });

  test('draws phases, link states, faults and the lag', () => {
    const svg = /<svg[^]*<\/svg>/.exec(html)?.[0] ?? '';
    for (const phase of ['seed', 'full-sync', 'incremental', 'verify'])
      expect(svg).toContain(`>${phase}</text>`);
    expect(svg).toContain('Retrying for 400 ms: connection lost');
    expect(svg.match(/class="fault-band"/g)).toHaveLength(2);
    expect(svg.match(/class="curve"/g)).toHaveLength(1);
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
  });

  test('a curve is broken where nothing was measured, and every point is inside the picture', () => {
    const events = EVENTS.map((event) =>
      event.kind === 'progress' && event.ms === 8000 ? { ...event, lagMs: null } : event,
    );
    const { content } = renderReport('html', FAILED, { events });
    const path = /class="curve"[^>]* d="([^"]*)"/.exec(content)?.[1] ?? '';
    expect(path.match(/M/g)).toHaveLength(2);
    const points = [...path.matchAll(/[ML](\d+) ([\d.]+)/g)].map(([, x, y]) => [Number(x), Number(y)]);
    expect(points.length).toBeGreaterThan(15);
    expect(points.every(([x = 0, y = 0]) => x >= 118 && x <= 984 && y > 0)).toBe(true);
  });

  test('puts the reasons before the course', () => {
    expect(html.indexOf('id="differences"')).toBeLessThan(html.indexOf('id="phases"'));
  });
});

describe('markdown', () => {
  test('lets nothing of the data become formatting or HTML', () => {
    const content = render('markdown', hostileResults()).replaceAll(/^( *)(`{3,})[^]*?^\1\2$/gm, '');
    expect(content).not.toMatch(/(?<!\\)<script|(?<!\\)\*\*b|(?<!\\)\[l|^# h/m);
    expect(content.match(/^#+ /gm)?.length).toBeGreaterThan(5);
  });

  test('every row of a table has as many cells as its head', () => {
    const tables = render('markdown', hostileResults())
      .split('\n\n')
      .filter((part) => part.startsWith('|'));
    expect(tables.length).toBeGreaterThan(5);
    for (const table of tables) {
      const cells = table.split('\n').map((line) => line.match(/(?<!\\)\|/g)?.length);
      expect(new Set(cells).size).toBe(1);
    }
  });
});

describe('junit', () => {
  test('counts what it holds, and what could not be told is an error', () => {
    const content = render('junit');
    expect(content).toMatch(
      /<testsuites name="one-way" tests="13" failures="2" errors="2" skipped="4" time="18.500">/,
    );
    expect(content).toContain('name="timeline-vacuity"><error message="Step flush never fired');
    expect(render('junit', PASSED)).toMatch(/<testsuites name="one-way" tests="\d+" failures="0" errors="0"/);
    expect(render('junit', { ...PASSED, verdict: 'unknown' })).toContain(
      '<testcase classname="one-way.run" name="verdict"><error ',
    );
  });

  test('keeps hostile text inside its attributes', () => {
    const content = render('junit', hostileResults());
    const outside = content.replaceAll(/"[^"<>]*"/g, '""');
    expect(outside).toMatch(
      /^(<\?xml [^>]*\?>|\s|<\/?(testsuites?|testcase|failure|error|skipped)( [a-z]+="")*\/?>)*$/,
    );
    expect(content).not.toMatch(/[^\P{Cc}\n]/u);
    expect(content).toContain('&#10;# h');
  });
});

test('json is the document itself', () => {
  expect(JSON.parse(render('json'))).toEqual(FAILED);
});

test('the printed commands are one line each that a shell can parse', () => {
  const commands = render('terminal')
    .split('\n')
    .flatMap((line) => /^\s+\$ (.*)$/.exec(line)?.[1] ?? []);
  expect(commands).toHaveLength(6);
  for (const command of commands) execFileSync('bash', ['-n', '-c', command]);
});

test.each(['terminal', 'markdown'])(
  'prechecks that say the same of several are one entry in %s',
  (format) => {
    const row = {
      id: 'repl.backlog',
      verdict: 'WARN' as const,
      expected: 'more',
      repair: 'Give it more.',
      evidence: 'measured' as const,
    };
    const precheck = [
      { ...row, subject: 'one', measured: '1 MB' },
      { ...row, subject: 'two', measured: '2 MB' },
      { ...row, id: 'repl.other', subject: 'one', measured: 'none' },
      { ...row, id: 'repl.other', subject: 'two', measured: 'none' },
    ];
    const text = renderReport(format, { ...PASSED, precheck }, extras).content;
    expect(text.match(/repl\.backlog/g)).toHaveLength(1);
    expect(text).toMatch(/repl\.backlog \(one, two\)/);
    expect(text).toMatch(/one: 1 MB[^]*two: 2 MB/);
    expect(text.match(/Give it more/g)).toHaveLength(2);
    expect(text.match(/none\n/g)).toHaveLength(1);
  },
);
