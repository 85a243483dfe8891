/** Engines that read their source's stream wrongly. */
import { encodeCommand } from '../../engine/resp/encode.ts';
import { filler } from './filler.ts';
import type { Misbehaviour, StreamCommand, StreamMutation, StreamOutput } from './misbehaviour.ts';

const LEDGER = /:ledger:/;

function isPush({ name, words }: StreamCommand): boolean {
  return name === 'rpush' && LEDGER.test(String(words[1]));
}

/** A mutation that replaces some commands and passes the others. */
function replacing(replace: (command: StreamCommand) => Buffer | null): Misbehaviour {
  return {
    stream: () => (command, out) => out.send(replace(command) ?? command.raw),
  };
}

/** Does it once, at the nth command that matches, counted from 1. */
function onceAt(
  nth: number,
  matches: (command: StreamCommand) => boolean,
  act: (command: StreamCommand, out: StreamOutput) => void,
): StreamMutation {
  let seen = 0;
  return (command, out) => {
    if (matches(command) && ++seen === nth) act(command, out);
    else out.send(command.raw);
  };
}

/** The first command that matches is not there, and every nth after it: of how few there are, one is missing. */
function dropping(nth: number, matches: (command: StreamCommand) => boolean): Misbehaviour {
  let seen = 0;
  return replacing((command) => (matches(command) && seen++ % nth === 0 ? filler(command.raw.length) : null));
}

export const dropsCommands = dropping(10, isPush);

export const forgetsDeletes = dropping(1, ({ name }) => name === 'del' || name === 'unlink');

export const duplicatesPushes = replacing((command) =>
  isPush(command) ? Buffer.concat([command.raw, command.raw]) : null,
);

/** Expiries of the stream are absolute: `SET k v PXAT t`, `PEXPIREAT k t`. */
export const losesExpiries = replacing(({ name, words, raw }) => {
  if (name === 'pexpireat' || name === 'expireat') return filler(raw.length);
  const at = words.findIndex((word) => /^pxat$/i.test(String(word)));
  if (name !== 'set' || at === -1) return null;
  const rest = encodeCommand([...words.slice(0, at), ...words.slice(at + 2)]);
  return Buffer.concat([rest, filler(raw.length - rest.length)]);
});

export const swapsDatabases = replacing(({ name, words }) => {
  if (name !== 'select') return null;
  return encodeCommand(['SELECT', String(words[1]) === '0' ? '3' : '0']);
});

export const truncatesValues = replacing(({ name, words, raw }) => {
  const [, key, value] = words;
  if (name !== 'set' || key === undefined || value === undefined || value.length < 60) return null;
  const rest = encodeCommand(['SET', key, value.subarray(0, 20), ...words.slice(3)]);
  return Buffer.concat([rest, filler(raw.length - rest.length)]);
});

/** The first two writes to each list change places: the first waits for the next one to the same list. */
export const reordersPushes: Misbehaviour = {
  stream: () => {
    const heldOf = new Map<string, Buffer | null>();
    return (command, out) => {
      const list = String(command.words[1]);
      const held = heldOf.get(list);
      if (!isPush(command) || held === null) return out.send(command.raw);
      heldOf.set(list, held === undefined ? command.raw : null);
      if (held === undefined) return;
      out.send(command.raw);
      out.send(held);
    };
  },
};

/** After so many commands the first copy is long complete. */
const LATE = 400;
const REPLAYS = 8;
/** Long enough to be seen by somebody who looks ten times a second on a busy machine. */
const HOLD_MS = 500;

/** Transactions are applied one command at a time. A few stop in the middle for long enough to be seen. */
export const tearsTransactions: Misbehaviour = {
  stream: () => {
    let commands = 0;
    let holds = 0;
    return ({ name, words, raw }, out) => {
      commands++;
      if (name === 'multi' || name === 'exec') out.send(filler(raw.length));
      else out.send(raw);
      const isInside = name === 'set' && isRing(words[1]) && /:ring:[^:]*:1:/.test(String(words[1]));
      if (isInside && commands > LATE && ++holds <= REPLAYS) out.hold(HOLD_MS);
    };
  },
};

/** What was applied before is applied again, and taken back a moment later. A few times. */
export const goesBack: Misbehaviour = {
  stream: () => {
    let replays = 0;
    let commands = 0;
    const turnsOf = new Map<string, Buffer[]>();
    let open: Buffer[] = [];
    let ring = '';
    let database = '';
    return ({ name, words, raw }, out) => {
      out.send(raw);
      commands++;
      if (name === 'select') database = String(words[1]);
      if (name === 'multi') {
        open = [];
        ring = '';
      }
      open.push(raw);
      if (name === 'set' && isRing(words[1])) ring = `${database} ${String(words[1])}`;
      if (name !== 'exec' || ring === '') return;
      const turns = turnsOf.get(ring) ?? [];
      turnsOf.set(ring, turns);
      turns.push(Buffer.concat(open));
      const [first] = turns;
      if (commands < LATE || turns.length < 2 || first === undefined || ++replays > REPLAYS) return;
      out.send(first);
      out.hold(HOLD_MS);
      out.send(Buffer.concat(open));
    };
  },
};

function isRing(key: Buffer | undefined): boolean {
  return /:ledger:.*:ring:/.test(String(key));
}

/** Its connection breaks once, without a reason. */
export const losesConnection: Misbehaviour = {
  stream: (() => {
    let connections = 0;
    return () => {
      const isFirst = ++connections === 1;
      return onceAt(
        LATE,
        () => isFirst,
        (command, out) => {
          out.send(command.raw);
          out.cut();
        },
      );
    };
  })(),
};

/** Three seconds behind all the time. */
export const isSlow: Misbehaviour = {
  stream: () => (command, out) => void setTimeout(() => out.send(command.raw), 3000),
};
