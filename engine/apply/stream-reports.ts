/** What applying the command stream gives a report to say: what policies decided, and what could not be applied as it came. */
import type { EngineOptions } from '../link/options.ts';
import type { ReplyError } from '../resp/reply.ts';
import type { LinkFinding } from './finding.ts';
import type { GrowingFindings } from './growing-findings.ts';
import type { StreamPlace } from './policy-stops.ts';
import { printKey, type SentCommand } from './refusals.ts';
import type { ScriptRun } from './script-book.ts';
import { createHash } from 'node:crypto';

export interface StreamReportsOptions {
  engine: EngineOptions;
  onFinding: (finding: LinkFinding) => void;
  growing: GrowingFindings;
}

export class StreamReports {
  readonly #options: StreamReportsOptions;

  constructor(options: StreamReportsOptions) {
    this.#options = options;
  }

  /** @param atMs when it arrived from the source, by our wall clock. */
  flush(name: string, { database, offset }: StreamPlace, atMs: number): void {
    const { flush } = this.#options.engine;
    const what = name.toUpperCase();
    const consequence = {
      fail: 'the link stops before it',
      ignore: 'the target keeps its keys',
      propagate: 'the target is flushed too',
    }[flush];
    const at = new Date(atMs).toISOString();
    this.#options.onFinding({
      code: 'FLUSH',
      severity: flush === 'propagate' ? 'warning' : 'error',
      message: `${what} on the source in database ${database} at ${at} (policy: ${flush}): ${consequence}.`,
      evidence: { command: what, database, offset: String(offset), at, policy: flush },
    });
  }

  swapdbRefused({ database, offset }: StreamPlace): void {
    this.#options.onFinding({
      code: 'UNSUPPORTED_COMMAND',
      severity: 'error',
      message: `SWAPDB on the source at offset ${offset} is not applied.`,
      evidence: { command: 'SWAPDB', database, offset: String(offset), policy: this.#options.engine.swapdb },
    });
  }

  /** A command that has no form the target takes. Under `skip` it is quarantined: left out, counted, and listed by its key. */
  unsupported(name: string, key: Buffer, needs: string, { database, offset }: StreamPlace): void {
    const policy = this.#options.engine.unsupported ?? 'fail';
    const sample = sampleOf(key, database);
    if (policy === 'skip') {
      this.#options.growing.add(
        {
          code: 'UNSUPPORTED_COMMAND',
          severity: 'error',
          message: `${name} was left out: it has no form that the target takes (${needs}).`,
          evidence: { command: name, policy },
        },
        sample,
      );
      return;
    }
    this.#options.onFinding({
      code: 'UNSUPPORTED_COMMAND',
      severity: 'error',
      message: `${name} ${sample.key} in database ${database} has no form that the target takes: ${needs} (policy: ${policy}).`,
      evidence: { command: name, policy, offset: String(offset), samples: [sample], complete: true },
    });
  }

  /** Data of this source has been applied to it: a link did not recognise it. */
  echo(source: string, { offset }: StreamPlace): void {
    this.#options.growing.add(
      {
        code: 'LOOP_ECHO',
        severity: 'error',
        message: `Changes that were made on ${source} have come back to it; they were not sent on again.`,
        evidence: { source },
      },
      { offset: String(offset) },
    );
  }

  /** In a circle: keys of slots that move at the source say nothing of where they were written, and the link stops. */
  movedKeys({ offset }: StreamPlace): false {
    this.#options.onFinding({
      code: 'TOPOLOGY_CHANGED',
      severity: 'error',
      message: 'Slots move between the shards of the source. The link stops.',
      evidence: { side: 'source', policy: 'fail', offset: String(offset) },
    });
    return false;
  }

  /** A script that is applied as text. */
  scriptRun({ sha, keys }: ScriptRun, { database }: StreamPlace): void {
    const samples = keys.length === 0 ? [undefined] : keys;
    // One run with several keys is one run.
    for (const [index, key] of samples.entries()) {
      this.#options.growing.add(
        scriptFact(sha),
        key === undefined ? undefined : sampleOf(key, database),
        index === samples.length - 1 ? 1 : 0,
      );
    }
  }

  /** What a script answered on the target; the same error may have come at the source, whose effects before it stay. */
  scriptFailed(command: SentCommand, error: ReplyError): void {
    const sha = shaOf(command);
    this.#options.growing.add(
      {
        code: 'SCRIPT_UNVERIFIED',
        severity: 'warning',
        message: `Script ${sha} ended with an error on the target; whether it did at the source too, nobody can tell.`,
        evidence: { sha },
      },
      { reply: error.message },
    );
  }

  /**
   * The target's checkpoint went back: it failed over to a replica that was behind, or restarted without its data.
   *
   * @param found the last offset that is still there; undefined when the checkpoint itself is gone.
   * @param durable up to where replicas had confirmed, if the policy asked for that.
   */
  lostWrites(found: bigint | undefined, applied: bigint, durable: bigint | undefined, where: string): void {
    const firstLost = found === undefined ? undefined : found + 1n;
    const from = firstLost === undefined ? 'everything' : `everything from offset ${firstLost} on`;
    const promised = durable !== undefined && (found === undefined || found < durable);
    const consequence =
      durable === undefined
        ? ''
        : promised
          ? ` Replicas had confirmed up to ${durable}: that promise was broken.`
          : ` Nothing was lost that replicas had confirmed (up to ${durable}).`;
    this.#options.onFinding({
      code: 'NOT_DURABLE',
      severity: 'error',
      message: `Shard ${where} has lost ${from}, although it had confirmed it up to offset ${applied}.${consequence}`,
      evidence: {
        shard: where,
        firstLost: firstLost === undefined ? 'all' : String(firstLost),
        confirmed: String(applied),
        ...(found === undefined ? {} : { lostBytes: Number(applied - found) }),
        ...(durable === undefined ? {} : { durable: String(durable) }),
      },
    });
  }

  /** The link's own record vanished from the target while everything else there stayed. */
  checkpointGone(offset: bigint): void {
    this.#options.growing.add({
      code: 'EVICTION',
      severity: 'warning',
      message:
        'The checkpoint of the link was evicted from the target, or deleted by somebody; it was written anew.',
      evidence: { offset: String(offset) },
    });
  }

  /** Scripts that the source runs by their SHA1 and that neither the target nor we have. */
  scriptsUnknown(shas: readonly string[], offset: bigint): void {
    for (const sha of shas) {
      this.#options.onFinding({
        code: 'SCRIPT_UNVERIFIED',
        severity: 'error',
        message: `Script ${sha} is run by its SHA1, and the target does not have it: nothing of its transaction was applied.`,
        evidence: { sha, reply: 'NOSCRIPT', before: String(offset) },
      });
    }
  }
}

export function isScript({ name }: SentCommand): boolean {
  return name === 'EVAL' || name === 'EVALSHA';
}

function scriptFact(sha: string): Parameters<GrowingFindings['add']>[0] {
  return {
    code: 'SCRIPT_UNVERIFIED',
    severity: 'warning',
    message: `Script ${sha} came as text and was run on the target, where its effect may differ.`,
    evidence: { sha },
    // Keys that it did not declare may be concerned too.
    partial: true,
  };
}

/** A key as people read it, and as the comparison finds it again. */
function sampleOf(key: Buffer, database: number): { key: string; keyBase64: string; database: number } {
  return { key: printKey(key), keyBase64: key.toString('base64'), database };
}

function shaOf(command: SentCommand): string {
  if (command.name === 'EVALSHA') return command.key.toString('latin1').toLowerCase();
  return createHash('sha1').update(command.key).digest('hex');
}
