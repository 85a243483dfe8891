/** The built command, for child processes; also when the caller runs from source (tests): a child needs JavaScript. */
import { join } from 'node:path';
import { packageFolder } from '../cli/package-files.ts';

export const COMMAND_FILE = join(packageFolder(), 'dist', 'runner', 'bin.js');
