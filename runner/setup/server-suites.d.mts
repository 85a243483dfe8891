/** Types of server-suites.mjs, for tests. */
export const MIRRORS: readonly string[];
export interface SuiteServer {
  tools: string;
  binary: string;
  file: string;
  release: string;
}
export const SUITES: readonly { suite: string; servers: readonly SuiteServer[] }[];
export function sourcesList(mirror: string, suite: string): string;
export function aptOptions(folder: string): string[];
export function dependsArguments(name: string): string[];
export function librariesAmong(output: string): string[];
export function wrapperScript(parts: { loader: string; libraryFolders: string[]; program: string }): string;
export function versionOf(output: string): string | undefined;
