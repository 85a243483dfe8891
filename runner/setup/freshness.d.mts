/** Types of freshness.mjs. */

export declare const BUILD_STAMP: string;
export declare function whyReinstall(root: string): string | undefined;
export declare function isBuilt(root: string): boolean;
export declare function fingerprintSources(root: string): string;
export declare function listSources(root: string): string[];
