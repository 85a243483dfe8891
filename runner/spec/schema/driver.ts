/** `engine.driver` and what belongs to the drivers that are not redis-sync's own engine. */
import { DEFAULT_DRIVER, DEFAULT_WATCH, DRIVER_KINDS } from '../../plan/driver.ts';
import { formatDuration } from '../quantities.ts';
import { closed, duration, text, type JsonSchema } from './piece.ts';

export const driverProperties: Readonly<Record<string, JsonSchema>> = {
  driver: {
    description:
      "Who replicates: redis-sync; replica = Redis's own replication; command = a program started per link; external = a service that runs already.",
    type: 'string',
    enum: DRIVER_KINDS,
    default: DEFAULT_DRIVER,
  },
  command: closed(
    'The program of driver: command. Placeholders: {source.host}, .port, .url, .username, .password, .ca (file of the authority to trust by TLS), the same of target, {link}, {folder}, {config}.',
    {
      run: text('For sh -c; placeholders are quoted for the shell.'),
      template: text(
        'A file, relative to the spec: it is written to the run folder with its placeholders filled in, and {config} is its path.',
      ),
      synchronized: text(
        'Regular expression on its output: the copy is complete. Without it that is seen in the data.',
      ),
      caughtUp: text(
        'Regular expression on its output, once the writers have stopped: everything is applied. Without it that is seen in the data.',
      ),
    },
    { required: ['run'] },
  ),
  watch: closed('When a driver that tells nothing about itself is taken to have caught up.', {
    quiet: duration('The target has as many keys as the source and neither has changed for so long.', {
      atLeast: '100ms',
      default: formatDuration(DEFAULT_WATCH.quietMs),
    }),
    limit: duration('Waiting ends after this: then the verdict is not better than unknown.', {
      atLeast: '1s',
      default: formatDuration(DEFAULT_WATCH.limitMs),
    }),
  }),
};
