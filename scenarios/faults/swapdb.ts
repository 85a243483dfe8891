/** Two databases change places. */
import { aimedNode } from './aim.ts';
import { defineFault, effective } from './define-fault.ts';
import { countOf } from './parameters.ts';
import { tell } from './server-settings.ts';

export const swapdb = defineFault({
  name: 'swapdb',
  summary: 'SWAPDB exchanges two databases of an instance.',
  requires: ['write'],
  aims: 'instance',
  properties: { first: countOf('One database.', 0, 0), second: countOf('The other.', 1, 0) },
  dataLoss: 'none',
  reversible: false,
  async inject({ context, given }) {
    const node = await aimedNode(context);
    const [first, second] = [given.count('first', 0), given.count('second', 1)];
    await tell(node, 'SWAPDB', String(first), String(second));
    return effective({ server: node.address, first, second });
  },
});
