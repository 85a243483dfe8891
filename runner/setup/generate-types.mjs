/**
 * `npm run generate`: writes redis-sync.schema.json from the pieces in runner/spec/schema, the TypeScript types in
 * runner/spec/spec.generated.ts from that, docs/metrics.md and docs/policies.md from their tables. The pieces are TypeScript, so
 * they are compiled into a cache folder first.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const BANNER = `/**
 * The shape of a valid spec. Generated from the schema by \`npm run generate\`; change runner/spec/schema instead.
 */`;

/** The text of redis-sync.schema.json. */
export function renderSchema(schema) {
  return `${JSON.stringify(schema, null, 2)}\n`;
}

/** The text of spec.generated.ts, formatted like everything else. */
export async function renderTypes(schema) {
  const [{ compile }, { format }] = await Promise.all([import('json-schema-to-typescript'), import('oxfmt')]);
  // The compiler changes what it is given.
  const source = await compile(structuredClone(schema), 'Spec', { bannerComment: BANNER, format: false });
  const { ignorePatterns: _, ...style } = JSON.parse(readFileSync(join(ROOT, '.oxfmtrc.json'), 'utf8'));
  const { code, errors } = await format('spec.generated.ts', source, style);
  if (errors.length > 0) throw new Error(errors.map((error) => error.message).join('\n'));
  return code;
}

async function generate() {
  const cache = join(ROOT, 'node_modules', '.cache');
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'generate-'));
  try {
    const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
    // Type errors do not matter here: the types are what is being made.
    spawnSync(process.execPath, [tsc, '-p', join(ROOT, 'tsconfig.build.json'), '--outDir', folder], {
      cwd: ROOT,
    });
    const load = (file) => import(pathToFileURL(join(folder, file)).href);
    const { publishedSchema } = await load('runner/spec/schema/spec.js');
    const { REGISTRIES } = await load('runner/spec/registries.js');
    const schema = publishedSchema(REGISTRIES);
    writeFileSync(join(ROOT, 'redis-sync.schema.json'), renderSchema(schema));
    writeFileSync(join(ROOT, 'runner', 'spec', 'spec.generated.ts'), await renderTypes(schema));
    const { describeMetrics } = await load('runner/run/metrics/exposition.js');
    const { METRICS } = await load('runner/run/metrics/link-metrics.js');
    const { describeFaults } = await load('scenarios/faults/describe-faults.js');
    const { FAULTS } = await load('scenarios/faults/registry.js');
    mkdirSync(join(ROOT, 'docs'), { recursive: true });
    writeFileSync(join(ROOT, 'docs', 'faults.md'), describeFaults(FAULTS));
    const { describeScenarios } = await load('scenarios/rehearsals/describe-scenarios.js');
    const { SCENARIOS } = await load('scenarios/rehearsals/registry.js');
    const { DECLARED } = await load('scenarios/rehearsals/declared.js');
    writeFileSync(join(ROOT, 'docs', 'scenarios.md'), describeScenarios(SCENARIOS, DECLARED));
    writeFileSync(join(ROOT, 'docs', 'metrics.md'), describeMetrics(METRICS));
    const { describePolicies } = await load('runner/spec/schema/policies-document.js');
    writeFileSync(join(ROOT, 'docs', 'policies.md'), describePolicies());
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await generate();
