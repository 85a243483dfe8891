/** What a server answers, as values. Bytes stay bytes: a bulk string is a Buffer, never decoded text. */

/** An error reply (`-ERR …`). A value, not an exception: it can be one element of an EXEC array. */
export class ReplyError {
  readonly message: string;

  constructor(message: string) {
    this.message = message;
  }

  /** First word: `ERR`, `OOM`, `MOVED`, `NOPERM` … */
  get kind(): string {
    const space = this.message.indexOf(' ');
    return space === -1 ? this.message : this.message.slice(0, space);
  }
}

/**
 * RESP2 (and the RESP3 types that map onto it). Simple string → string, bulk → Buffer, integer → number (bigint
 * when it is beyond 2^53), null → null, array/set/push → array, map → flat array of key, value, key, value.
 */
export type Reply = string | Buffer | number | bigint | null | ReplyError | Reply[];
