/** `engine.driver`: only options that the driver has, and only flows that it can serve. */
import { readFileSync, statSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { DEFAULT_DRIVER, DRIVER_KEYS, FOREIGN_KEYS, type DriverKind } from '../../plan/driver.ts';
import { isExisting } from '../../plan/existing.ts';
import { PLACEHOLDERS, unknownPlaceholders } from '../../plan/placeholders.ts';
import type { Path } from '../document.ts';
import { didYouMean } from '../suggest.ts';
import { speaksTls } from './instance-tls.ts';
import type { RuleContext } from './rule.ts';

const PATH: Path = ['engine', 'command'];

export function checkDriver(context: RuleContext): void {
  const kind = context.spec.engine?.driver ?? DEFAULT_DRIVER;
  checkKeys(context, kind);
  if (kind === 'command') checkCommand(context);
  if (kind === 'replica') checkReplica(context);
  if (kind === 'redis-sync') return;
  checkShards(context, kind);
  checkFlows(context, kind);
  checkFaults(context, kind);
}

/** An option that nobody would read must not look as if it were in force. */
function checkKeys({ spec, report }: RuleContext, kind: DriverKind): void {
  const known = DRIVER_KEYS[kind];
  for (const key of Object.keys(spec.engine ?? {})) {
    if (key === 'driver') continue;
    if (known === undefined ? !FOREIGN_KEYS.includes(key) : known.includes(key)) continue;
    const owners = Object.entries(DRIVER_KEYS).filter(([, keys]) => keys?.includes(key));
    const owner = owners.map(([name]) => name).join(' or ') || DEFAULT_DRIVER;
    report(['engine', key], 'key', {
      message: `"${key}" is an option of driver: ${owner}, and the driver here is ${kind}`,
      expected: known?.length === 0 ? `no ${key}` : `driver: ${owner.split(' ')[0]}, or no ${key}`,
    });
  }
}

function checkCommand({ spec, report, folder }: RuleContext): void {
  const { command } = spec.engine ?? {};
  if (command === undefined) {
    if ('command' in (spec.engine ?? {})) return;
    report(['engine', 'driver'], 'value', {
      message: 'driver: command does not say which command',
      expected: 'command: { run: "my-tool --from {source.url} --to {target.url}" } beside it',
    });
    return;
  }
  for (const key of ['synchronized', 'caughtUp'] as const) {
    const reason = whyNoPattern(command[key]);
    if (reason === undefined) continue;
    report([...PATH, key], 'value', {
      message: `this is no regular expression: ${reason}`,
      expected: "JavaScript's, as in full sync (done|finished)",
    });
  }
  const template = readTemplate(command.template, folder);
  if (template.kind === 'missing') {
    report([...PATH, 'template'], 'value', {
      message: `there is no file ${template.file}`,
      expected: 'a file name; relative ones begin at the spec',
    });
  }
  for (const [key, text] of [['run', command.run ?? ''] as const, ['template', template.text] as const]) {
    for (const name of unknownPlaceholders(text)) {
      report([...PATH, key], 'value', {
        message: `there is no placeholder {${name}}${didYouMean(name, PLACEHOLDERS)}`,
        expected: `one of ${PLACEHOLDERS.join(', ')}`,
      });
    }
  }
  if (command.run?.includes('{config}') !== true || 'template' in command) return;
  report([...PATH, 'run'], 'value', {
    message: 'there is no template that {config} could be made of',
    expected: 'template: FILE beside it',
  });
}

function whyNoPattern(pattern: string | undefined): string | undefined {
  try {
    if (pattern !== undefined) RegExp(pattern);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function readTemplate(
  file: string | undefined,
  folder: string,
): { kind: 'there' | 'missing'; file: string; text: string } {
  const path = file === undefined || isAbsolute(file) ? (file ?? '') : join(folder, file);
  if (file === undefined) return { kind: 'there', file: path, text: '' };
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true)
    return { kind: 'missing', file: path, text: '' };
  return { kind: 'there', file: path, text: readFileSync(path, 'utf8') };
}

/** A server is a replica of one other, and speaks to it as it is configured: we set no certificates. */
function checkReplica({ spec, flows, report }: RuleContext): void {
  for (const [position, { target, targetPath }] of flows.entries()) {
    if (!flows.slice(0, position).some((earlier) => earlier.target === target)) continue;
    report(targetPath, 'value', {
      message: `"${target}" has another source already, and with driver: replica it can have only one`,
      expected: 'one link into every target',
    });
  }
  for (const name of new Set(flows.map(({ source }) => source))) {
    const source = spec.instances?.[name];
    if (source === undefined || !speaksTls(source)) continue;
    report(['instances', name], 'value', {
      message: `"${name}" speaks TLS, and driver: replica sets no certificates on its replica`,
      expected: 'a source without TLS, or another driver',
    });
  }
  for (const name of new Set(flows.map(({ target }) => target))) {
    if (spec.instances?.[name]?.tls !== true) continue;
    report(['instances', name, 'tls'], 'key', {
      message: `"${name}" would follow its source by TLS, which has none`,
      expected: 'no tls, or another driver',
    });
  }
}

/** What links can be besides copying and following is our own engine's. */
function checkFlows({ flows, report }: RuleContext, kind: DriverKind): void {
  for (const { id, incrementalOnly, startsAfter, path } of flows) {
    if (incrementalOnly !== true && startsAfter === undefined) continue;
    const what = incrementalOnly === true ? 'only follows' : `starts after "${startsAfter}"`;
    report(path, 'value', {
      message: `the link "${id}" ${what}, and driver: ${kind} knows no such links`,
      expected: `links that copy everything and follow, or driver: ${DEFAULT_DRIVER}`,
    });
  }
}

/** No process of ours can be killed, and no proxy stands where nothing of ours connects. */
function checkFaults({ spec, registries, report }: RuleContext, kind: DriverKind): void {
  for (const [position, step] of (spec.timeline ?? []).entries()) {
    const requires = registries.faults.find(({ name }) => name === step?.fault)?.requires ?? [];
    const gate = typeof step?.when === 'object' && 'proxy' in step.when ? step.when.proxy : undefined;
    const way = requires.includes('proxy') ? step?.where : gate;
    const hasWay = kind === 'command' || (kind === 'replica' && way?.endsWith('.source') === true);
    if (requires.includes('engine')) {
      report(['timeline', position, 'fault'], 'value', {
        message: `${step?.fault} happens to redis-sync's own engine, and the driver here is ${kind}`,
        expected: `driver: ${DEFAULT_DRIVER}, or a fault of an instance`,
      });
    } else if (way !== undefined && !hasWay) {
      const where = kind === 'replica' ? 'between the source and its replica' : 'nowhere';
      report(['timeline', position, gate === undefined ? 'where' : 'when'], 'value', {
        message: `with driver: ${kind} a fault proxy stands ${where}`,
        expected: kind === 'replica' ? 'link:NAME.source' : 'a fault of an instance',
      });
    }
  }
}

/** Of an instance of several shards these drivers would see one. */
function checkShards({ spec, flows, report }: RuleContext, kind: DriverKind): void {
  for (const name of new Set(flows.flatMap(({ source, target }) => [source, target]))) {
    const instance = spec.instances?.[name];
    if (instance === undefined || isExisting(instance)) continue;
    if (instance.kind !== 'cluster') continue;
    report(['instances', name, 'kind'], 'value', {
      message: `driver: ${kind} sees single servers, and "${name}" is a ${instance.kind}`,
      expected: 'kind: standalone',
    });
  }
}
