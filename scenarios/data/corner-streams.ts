/** Awkward streams: empty ones, deleted entries, extreme ids, groups and pending entries in every state. */
import { EVERY_BYTE, range, type Corner, type Word } from './corner.ts';

const entries = (key: Buffer, from: number, to: number): Word[][] =>
  range(from, to).map((n) => ['XADD', key, `${n}-0`, 'n', n]);
const readAll = (key: Buffer, group: string, consumer: string, count: number): Word[] => [
  'XREADGROUP', 'GROUP', group, consumer, 'COUNT', count, 'STREAMS', key, '>',
]; // prettier-ignore

export const STREAM_CORNERS: Corner[] = [
  { key: 'stream:empty-by-mkstream', commands: (k) => [['XGROUP', 'CREATE', k, 'g', '0', 'MKSTREAM']] },
  { key: 'stream:empty-by-delete', commands: (k) => [...entries(k, 5, 6), ['XDEL', k, '5-0', '6-0']] },
  { key: 'stream:several-nodes', commands: (k) => entries(k, 1, 300) },
  {
    key: 'stream:holes',
    commands: (k) => [...entries(k, 1, 20), ['XDEL', k, '1-0', '7-0', '8-0', '20-0']],
  },
  {
    key: 'stream:other-fields',
    commands: (k) => [
      ['XADD', k, '1-1', 'a', '1'],
      ['XADD', k, '1-2', 'a', '1', 'b', '2'],
      ['XADD', k, '1-3', 'a', '1', 'a', 'again'],
      ['XADD', k, '2-0', '', '', EVERY_BYTE, EVERY_BYTE],
    ],
  },
  {
    key: 'stream:largest-id',
    commands: (k) => [['XADD', k, '18446744073709551615-18446744073709551615', 'last', 'possible']],
  },
  {
    key: 'stream:last-id-ahead',
    commands: (k) => [...entries(k, 1, 3), ['XSETID', k, '1000-7']],
  },
  {
    key: 'stream:trimmed',
    commands: (k) => [...entries(k, 1, 150), ['XTRIM', k, 'MAXLEN', 30]],
  },
  {
    key: 'stream:groups',
    commands: (k) => [
      ...entries(k, 1, 10),
      ['XGROUP', 'CREATE', k, 'at-start', '0'],
      ['XGROUP', 'CREATE', k, 'at-end', '$'],
      ['XGROUP', 'CREATE', k, 'in-between', '4-0'],
      ['XGROUP', 'CREATE', k, EVERY_BYTE, '2-0'],
    ],
  },
  {
    key: 'stream:pending',
    commands: (k) => [
      ...entries(k, 1, 8),
      ['XGROUP', 'CREATE', k, 'g', '0'],
      readAll(k, 'g', 'ann', 3),
      readAll(k, 'g', 'bob', 3),
      ['XACK', k, 'g', '2-0'],
      // Pinned, so that two runs are equal; 5-0 moves to ann.
      ['XCLAIM', k, 'g', 'ann', 0, '1-0', '3-0', '5-0', 'TIME', 1_718_064_000_000, 'RETRYCOUNT', 3, 'JUSTID'],
      ['XCLAIM', k, 'g', 'bob', 0, '4-0', '6-0', 'TIME', 1_718_064_000_001, 'RETRYCOUNT', 1, 'JUSTID'],
    ],
  },
  {
    key: 'stream:pending-of-a-deleted-entry',
    commands: (k) => [
      ...entries(k, 1, 3),
      ['XGROUP', 'CREATE', k, 'g', '0'],
      readAll(k, 'g', 'ann', 3),
      ['XCLAIM', k, 'g', 'ann', 0, '1-0', '2-0', '3-0', 'TIME', 1_718_064_000_000, 'RETRYCOUNT', 9, 'JUSTID'],
      ['XDEL', k, '2-0'],
    ],
  },
  {
    key: 'stream:idle-consumer',
    commands: (k) => [
      ...entries(k, 1, 2),
      ['XGROUP', 'CREATE', k, 'g', '0'],
      readAll(k, 'g', 'done', 2),
      ['XACK', k, 'g', '1-0', '2-0'],
    ],
  },
];
