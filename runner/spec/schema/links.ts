/** `links:` – one directed replication each, for what no topology kind describes. */
import { codisSlotsSchema } from '../../plan/topologies/slot-ranges.ts';
import { closed, list, name, text } from './piece.ts';

export const linkSchema = closed(
  'One directed replication.',
  {
    id: name('Name of the link. Default: source-to-target.'),
    source: name('Instance that is read.'),
    target: name('Instance that is written.'),
    incrementalOnly: {
      description:
        'The reverse of another link, whose target has the data already: only what is written from now on is applied.',
      type: 'boolean',
      default: false,
    },
    startsAfter: name(
      'Link that must be in sync before this one starts. Default: none; of a reverse, the link it is the reverse of.',
    ),
    owns: list(
      'Patterns (as of KEYS: user:*) of the keys that the source owns.',
      text('A pattern, as of KEYS.'),
    ),
    codisSlots: codisSlotsSchema,
    emptyCheck: {
      description:
        'Whether the check that the target is empty leaves out what other links have brought there; literal does not.',
      type: 'string',
      enum: ['group-aware', 'literal'],
      default: 'group-aware',
    },
  },
  { required: ['source', 'target'] },
);
