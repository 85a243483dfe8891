/** Types of node-version.mjs. */

export declare const NODE_WANTED: string;
export declare function isNodeSupported(version: string, wanted?: string): boolean;
