/** What travels from the receiver to the lanes, in order. */
export type LogItem =
  /**
   * A full sync begins: what a lane had half-read before is void. The stream will start at `offset` + 1. `cause` says why
   * it had to be a full one.
   */
  | { kind: 'snapshot-start'; replid: string; offset: bigint; sizeBytes: number | null; cause: string }
  | { kind: 'snapshot-end' }
  /** The snapshot broke off; nothing of it counts as complete. Another `snapshot-start` may follow. */
  | { kind: 'snapshot-aborted'; cause: string }
  /** Command stream follows. The first byte is at `offset` + 1. After a reconnect the bytes join seamlessly. */
  | { kind: 'stream-start'; replid: string; offset: bigint }
  /** `atMs`: when its last byte arrived, wall clock; undefined where nobody needs it (snapshots). */
  | { kind: 'bytes'; chunk: Buffer; atMs?: number | undefined }
  /** The receiver has ended for good. */
  | { kind: 'closed'; cause: string };
