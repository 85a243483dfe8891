/**
 * What a known-bad engine really did. A mutant that got away is one thing, one that found no occasion to do wrong is another:
 * its engine appends a line to a file of the selftest with each first deed of a kind.
 */
import { appendFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { FromReplicator } from '../../engine/link/messages.ts';
import type { StreamMutation } from './misbehaviour.ts';

/** Notes a deed. */
export type Confess = (deed: string) => void;

type Tell = (message: FromReplicator) => FromReplicator[];

/** Without a file, nothing is noted. Each deed is noted once per process: a line must not cost what it tells about. */
export function confessTo(file: string | undefined): Confess {
  const noted = new Set<string>();
  return (deed) => {
    if (file === undefined || noted.has(deed)) return;
    noted.add(deed);
    appendFileSync(file, `${deed}\n`);
  };
}

/** The deeds of one rehearsal; none when nobody wrote any. */
export async function readConfession(file: string): Promise<string[]> {
  try {
    const deeds = (await readFile(file, 'utf8')).split('\n').filter((line) => line !== '');
    return [...new Set(deeds)];
  } catch {
    return [];
  }
}

/** Anything but the command itself, once and at once, is a deed. */
export function confessingStream(mutate: StreamMutation, confess: Confess): StreamMutation {
  return (command, out) => {
    let sent = 0;
    let isFaithful = true;
    mutate(command, {
      send(bytes) {
        sent++;
        isFaithful &&= bytes.equals(command.raw);
        out.send(bytes);
      },
      hold(ms) {
        isFaithful = false;
        out.hold(ms);
      },
      cut() {
        isFaithful = false;
        out.cut();
      },
    });
    if (!isFaithful || sent !== 1) confess(`changed ${command.name} in the stream`);
  };
}

export function confessingTell(tell: Tell, confess: Confess): Tell {
  return (message) => {
    const before = JSON.stringify(message);
    const told = tell(message);
    if (told.length !== 1 || JSON.stringify(told[0]) !== before) confess(`changed a ${message.kind} message`);
    return told;
  };
}
