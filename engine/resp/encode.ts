/** Encoding of commands: RESP arrays of bulk strings. Sans-IO. */

/** One word of a command. Numbers are written in decimal. */
export type Argument = string | number | bigint | Buffer;

const CRLF = '\r\n';

/** One command as bytes. */
export function encodeCommand(args: readonly Argument[]): Buffer {
  return encodeCommands([args]);
}

/** Many commands as one buffer, so that they leave in one write. */
export function encodeCommands(commands: readonly (readonly Argument[])[]): Buffer {
  let size = 0;
  for (const args of commands) {
    size += 1 + digits(args.length) + 2;
    for (const arg of args) {
      const length = byteLength(arg);
      size += 1 + digits(length) + 2 + length + 2;
    }
  }
  const out = Buffer.allocUnsafe(size);
  let at = 0;
  for (const args of commands) {
    at += out.write(`*${args.length}${CRLF}`, at, 'latin1');
    for (const arg of args) at = writeBulk(out, at, arg);
  }
  return out;
}

function writeBulk(out: Buffer, start: number, arg: Argument): number {
  let at = start + out.write(`$${byteLength(arg)}${CRLF}`, start, 'latin1');
  if (typeof arg === 'string') at += out.write(arg, at, 'utf8');
  else if (Buffer.isBuffer(arg)) at += arg.copy(out, at);
  else at += out.write(String(arg), at, 'latin1');
  return at + out.write(CRLF, at, 'latin1');
}

function byteLength(arg: Argument): number {
  if (typeof arg === 'string') return Buffer.byteLength(arg);
  return Buffer.isBuffer(arg) ? arg.length : String(arg).length;
}

/** Decimal digits of a non-negative integer. */
export function digits(value: number): number {
  let count = 1;
  for (let rest = value; rest >= 10; rest = Math.floor(rest / 10)) count++;
  return count;
}
