/** Types of generate-types.mjs, for the test that proves the generated files fresh. */
import type { JsonSchema } from '../spec/schema/piece.ts';

export function renderSchema(schema: JsonSchema): string;
export function renderTypes(schema: JsonSchema): Promise<string>;
