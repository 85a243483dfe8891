/** restore.compat: the target takes the source's values as they are (DUMP payloads of real keys, of every type at hand). */
import { splitDumpPayload } from '../../../engine/rdb/dump-payload.ts';
import { flavorOfVersion, VERSION_MAX } from '../../../engine/rdb/format.ts';
import { ReplyError } from '../../../engine/resp/reply.ts';
import { collectSamples, probeKey, PROBE_TTL_MS, type DumpSample } from '../dump-samples.ts';
import type { Outcome, Precheck } from '../precheck.ts';
import { Unmeasured, type Side } from '../side.ts';

const REPAIR = 'Use a target that is at least as new as the source, and of the same product.';

export const restoreCompat: Precheck = {
  id: 'restore.compat',
  about: 'link',
  expected: 'the target restores the payloads that the source dumps',
  async measure({ source, target }) {
    const samples = await collectSamples(source);
    const [first] = samples;
    if (!first) throw new Unmeasured('RANDOMKEY → (nil): the source has no key to try');
    const version = splitDumpPayload(first.payload).version;
    const flavor = flavorOfVersion(version);
    if (version > VERSION_MAX[flavor]) {
      return {
        verdict: 'FAIL',
        measured: `DUMP → payload version ${version}`,
        repair: `This version of redis-sync reads ${flavor} payloads up to version ${VERSION_MAX[flavor]}: upgrade it.`,
      };
    }
    return target.mayProbe ? tryRestore(target, samples, version) : compareWithTarget(target, version);
  },
};

async function tryRestore(target: Side, samples: DumpSample[], version: number): Promise<Outcome> {
  const tag = await target.ownTag();
  const keys = samples.map(({ type }) => `${probeKey(type)}${tag}`);
  const replies = await target.send([
    ...samples.map(({ payload }, index) => [
      'RESTORE',
      keys[index] ?? '',
      String(PROBE_TTL_MS),
      payload,
      'REPLACE',
    ]),
    ['DEL', ...keys],
  ]);
  const refused = samples.flatMap(({ type }, index) => {
    const reply = replies[index];
    return reply instanceof ReplyError ? [{ type, reply }] : [];
  });
  const [first] = refused;
  if (!first) {
    const types = [...new Set(samples.map(({ type }) => type))].join(', ');
    return {
      verdict: 'PASS',
      measured: `RESTORE of ${samples.length} payloads version ${version} (${types}) → OK`,
    };
  }
  // NOPERM, OOM, READONLY: the refusal says nothing about the payload, and other rows report it.
  if (!/DUMP payload|Bad data format/i.test(first.reply.message))
    throw new Unmeasured(`RESTORE → ${first.reply.message}`);
  const types = [...new Set(refused.map(({ type }) => type))].join(', ');
  return {
    verdict: 'FAIL',
    measured: `RESTORE of payload version ${version} (${types}) → ${first.reply.message}`,
    repair: REPAIR,
  };
}

/** The target may not be written to: its own payload version tells what it would take. */
async function compareWithTarget(target: Side, version: number): Promise<Outcome> {
  const [sample] = await collectSamples(target);
  if (!sample)
    throw new Unmeasured(
      `DUMP on the source → payload version ${version}; the target has no key to compare with`,
    );
  const targetVersion = splitDumpPayload(sample.payload).version;
  const measured = `DUMP → payload version ${version} on the source, ${targetVersion} on the target`;
  return version <= targetVersion
    ? { verdict: 'PASS', measured }
    : { verdict: 'FAIL', measured, repair: REPAIR };
}
