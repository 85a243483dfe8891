/** Geo sets: zsets of geohashes. */
import type { Argument } from '../../engine/resp/encode.ts';
import type { Family, OperationContext } from './operation.ts';

/** Longitude, latitude. */
function place({ random }: OperationContext): [string, string] {
  return [(random.fraction() * 360 - 180).toFixed(5), (random.fraction() * 170 - 85).toFixed(5)];
}
const placed = (c: OperationContext): Argument[] => [...place(c), `p${c.random.below(60)}`];

export const geoFamily: Family = {
  name: 'geo',
  summary: 'GEOADD, GEOSEARCHSTORE, GEORADIUS … STORE',
  operations: [
    {
      command: 'geoadd',
      weight: 3,
      build: (c) => c.emit('GEOADD', c.key('geo'), ...placed(c), ...placed(c)),
    },
    {
      command: 'geoadd',
      variant: 'xx ch',
      since: '6.2',
      build: (c) => c.emit('GEOADD', c.key('geo'), 'XX', 'CH', ...placed(c)),
    },
    {
      command: 'geosearchstore',
      build: (c) =>
        c.emit(
          'GEOSEARCHSTORE',
          c.key('geo'),
          c.key('geo'),
          'FROMLONLAT',
          ...place(c),
          'BYBOX',
          9000,
          9000,
          'km',
          'ASC',
          'COUNT',
          30,
        ),
    },
    {
      command: 'georadius',
      variant: 'store',
      build: (c) => c.emit('GEORADIUS', c.key('geo'), ...place(c), 8000, 'km', 'STORE', c.key('geo')),
    },
  ],
};
