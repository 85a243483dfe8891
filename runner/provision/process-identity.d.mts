/** Types of process-identity.mjs. */

export interface ProcessIdentity {
  pid: number;
  startTime: string;
}

export declare function readProcess(pid: number): { state: string; startTime: string } | undefined;
export declare function readStartTime(pid: number): string | undefined;
export declare function isAlive(identity: ProcessIdentity): boolean;
export declare function signalProcess(
  identity: ProcessIdentity & { group: boolean },
  signal: NodeJS.Signals,
): boolean;
