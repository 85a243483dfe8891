/** What the comparison says: keys per database and per type, and every difference with lines to look at it. */
import { formatCount, plural } from '../../display.ts';
import { quoteArgument, readCommand, redisCliLine, type CliTarget } from '../../redis-cli.ts';
import type {
  Comparison,
  ComparisonPart,
  ComparisonShare,
  Difference,
  DifferenceSide,
  InstanceResult,
  Results,
  TypeRow,
} from '../../results.ts';
import {
  left,
  right,
  styled,
  type Block,
  type Cell,
  type Entry,
  type ReportView,
  type Section,
} from '../document.ts';
import { formatBytes, formatDuration, formatExpiry, formatPerSecond } from '../format.ts';

export function countsSection({ results }: ReportView): Section | null {
  const { comparison } = results;
  if (comparison === null) return null;
  const oneLink = new Set(comparison.counts.map((row) => row.link)).size <= 1 && !hasUnion(comparison);
  const perDatabase = comparison.counts.flatMap((row): Cell[][] => {
    const equal = row.sourceKeys - row.sourceExpires === row.targetKeys - row.targetExpires;
    const part = comparison.parts?.find(({ id }) => id === row.link);
    const shares = part?.shares?.filter(({ database }) => database === row.database) ?? [];
    return [
      ...shares.map(shareCells),
      [
        ...(oneLink ? [] : [nameCell(row.link, part)]),
        String(row.database),
        formatCount(row.sourceKeys),
        styled(formatCount(row.targetKeys), row.sourceKeys === row.targetKeys ? 'plain' : 'warn'),
        formatCount(row.sourceExpires),
        formatCount(row.targetExpires),
        equal ? styled('equal', 'good') : styled('differ', 'bad'),
      ],
    ];
  });
  const perType = typesOf(comparison.types).map((row): Cell[] => [
    row.type,
    formatCount(row.compared),
    formatCount(row.equal),
    styled(formatCount(row.different), row.different === 0 ? 'dim' : 'bad'),
  ]);
  const blocks: Block[] = [];
  if (perDatabase.length > 0) {
    const columns = [
      ...(oneLink ? [] : [left('link')]),
      left('database'),
      right('source'),
      right('target'),
      right('source expiring'),
      right('target expiring'),
      right('without expiry'),
    ];
    blocks.push({ kind: 'table', columns, rows: perDatabase });
  }
  if (perType.length > 0) {
    blocks.push({
      kind: 'table',
      columns: [left('type'), right('compared'), right('equal'), right('different')],
      rows: perType,
    });
  }
  blocks.push({ kind: 'facts', facts: comparisonFacts(results) });
  return { id: 'counts', title: 'Data', blocks };
}

function hasUnion({ parts = [] }: Comparison): boolean {
  return parts.some(({ kind }) => kind === 'union');
}

/** What one of several sources holds of a database; the sum of them is compared. */
function shareCells({ link, database, keys, expires }: ComparisonShare): Cell[] {
  const nothing = styled('', 'dim');
  return [link, String(database), formatCount(keys), nothing, formatCount(expires), nothing, nothing];
}

function nameCell(link: string, part: ComparisonPart | undefined): Cell {
  if (part?.kind === 'union') return `sum → ${part.target}`;
  return part?.kind === 'end-to-end' ? `${link} (end to end)` : link;
}

function comparisonFacts({ comparison }: Results) {
  if (comparison === null) return [];
  const { method, methodReason, keysCompared, bytesCompared, durationMs, rounds } = comparison;
  const speed = `${formatPerSecond(keysCompared, durationMs)} keys/s`;
  const compared = `${plural(keysCompared, 'key')}, ${formatBytes(bytesCompared)} in ${formatDuration(durationMs)} (${speed}, ${plural(rounds, 'round')})`;
  const unverified = Object.entries(comparison.unverified).filter(([, count]) => count > 0);
  const facts = [
    { label: 'compared', value: styled(compared) },
    {
      label: 'method',
      value: styled(methodReason === undefined ? method : `${method} (${methodReason})`, 'dim'),
    },
  ];
  if (unverified.length > 0) {
    const words = unverified.map(([reason, count]) => `${plural(count, 'key')} (${reason})`).join(', ');
    facts.push({ label: 'not compared', value: styled(words, 'warn') });
  }
  for (const warning of comparison.warnings ?? [])
    facts.push({ label: 'note', value: styled(warning, 'warn') });
  return facts;
}

/** Summed over links and databases; the JSON document has them apart. */
function typesOf(rows: readonly TypeRow[]): Pick<TypeRow, 'type' | 'compared' | 'equal' | 'different'>[] {
  const sums = new Map<string, { type: string; compared: number; equal: number; different: number }>();
  for (const row of rows) {
    const total = sums.get(row.type) ?? { type: row.type, compared: 0, equal: 0, different: 0 };
    total.compared += row.compared;
    total.equal += row.equal;
    total.different += row.different;
    sums.set(row.type, total);
  }
  return [...sums.values()];
}

export function differencesSection(view: ReportView): Section | null {
  const { comparison } = view.results;
  const total = Object.values(comparison?.totals ?? {}).reduce((sum, count) => sum + count, 0);
  if (comparison === null || total === 0) return null;
  const shown = comparison.differences.slice(0, view.differencesMax);
  const classes = Object.entries(comparison.totals).filter(([, count]) => count > 0);
  const words = classes.map(([name, count]) => `${formatCount(count)} ${name}`).join(', ');
  const blocks: Block[] = [
    { kind: 'note', note: styled(words, 'bad') },
    { kind: 'entries', entries: shown.map((difference) => differenceEntry(view.results, difference)) },
  ];
  if (total > shown.length) {
    const where = view.results.files['results'] ?? 'results.json';
    const listed = comparison.differences.length;
    const note = `… and ${formatCount(total - shown.length)} more (${where} lists ${formatCount(listed)}).`;
    blocks.push({ kind: 'note', note: styled(note, 'dim') });
  }
  const gone = serversGoneNote(view.results);
  if (gone !== null) blocks.push({ kind: 'note', note: styled(gone, 'dim') });
  return { id: 'differences', title: 'Differences', blocks };
}

/** The printed commands are of no use against servers that were thrown away with the run. */
function serversGoneNote({ run, instances }: Results): string | null {
  if (run.kept === true || !instances.some((instance) => instance.provisioned)) return null;
  return `The servers of this run are gone. To use these lines: redis-sync verify ${quoteArgument(Buffer.from(run.spec))} --seed ${run.seed} --keep`;
}

function differenceEntry(results: Results, difference: Difference): Entry {
  const { source, target, link, database } = difference;
  return {
    tone: 'bad',
    label: difference.class,
    title: difference.key,
    lines: [
      { label: 'where', text: `db ${database} of ${wherePart(results, link)}` },
      { label: 'source', text: describeSide(source) },
      { label: 'target', text: describeSide(target) },
      { label: 'differs', text: difference.detail },
    ],
    commands: commandsFor(results, difference),
  };
}

function wherePart({ comparison }: Results, id: string): string {
  const part = comparison?.parts?.find((candidate) => candidate.id === id);
  return part === undefined || part.kind === 'link' ? `link ${id}` : id;
}

function describeSide(side: DifferenceSide | null): string {
  if (side === null) return '(no such key)';
  const size = side.type === 'string' ? plural(side.length, 'byte') : plural(side.length, 'element');
  return `${side.type}, ${size}, ${formatExpiry(side.expireAtMs)}\n${side.text}`;
}

function commandsFor(results: Results, difference: Difference): string[] {
  const { source, target } = difference;
  const instances = instancesOf(results, difference.link);
  const sides = [
    // Of several sources without the key nobody knows where to look.
    {
      instance: instances.sources.length === 1 ? instances.sources[0] : undefined,
      own: source,
      other: target,
    },
    { instance: instances.target, own: target, other: source },
  ];
  const key = Buffer.from(difference.keyBase64, 'base64');
  return sides.flatMap(({ instance, own, other }) => {
    const cli = cliTarget(results, instance, own?.node, difference.database);
    if (cli === null) return [];
    const type = own?.type ?? other?.type ?? null;
    const command = difference.class === 'TTL_MISMATCH' ? ['PTTL', key] : readCommand(type, key);
    return [redisCliLine(cli, command)];
  });
}

/** The instances that were compared under this name. */
function instancesOf(results: Results, id: string): { sources: readonly string[]; target?: string } {
  const part = results.comparison?.parts?.find((candidate) => candidate.id === id);
  if (part !== undefined) return part;
  const link = results.links.find((candidate) => candidate.link === id);
  return link === undefined ? { sources: [] } : { sources: [link.source], target: link.target };
}

function cliTarget(
  results: Results,
  name: string | undefined,
  node: string | undefined,
  database: number,
): CliTarget | null {
  const instance = results.instances.find(
    (candidate) =>
      candidate.instance === name || (name === undefined && candidate.addresses.includes(node ?? '')),
  );
  const address = node ?? instance?.addresses[0];
  const [, bracketed, plain, port] = /^(?:\[(.+)\]|(.+)):(\d+)$/.exec(address ?? '') ?? [];
  const host = bracketed ?? plain;
  if (host === undefined || port === undefined) return null;
  return { host, port: Number(port), database, ...connectionFlags(instance) };
}

function connectionFlags(instance: InstanceResult | undefined): Partial<CliTarget> {
  if (instance === undefined) return {};
  const { tls, username, kind } = instance;
  return {
    ...(tls === undefined ? {} : { tls }),
    ...(username === undefined ? {} : { username }),
    ...(kind === 'cluster' ? { cluster: true } : {}),
  };
}
