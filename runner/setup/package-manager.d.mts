/** Types of package-manager.mjs. */

export interface MachineFacts {
  isRoot: boolean;
  canSudo: boolean;
  has(program: string): boolean;
}

export type Installer =
  | {
      kind: 'install';
      prefix: string[];
      program: string;
      packages: string[];
      extras: string[];
      refresh: string[] | undefined;
      install: string[];
      env: Record<string, string>;
    }
  | { kind: 'forbidden'; command: string }
  | { kind: 'none' };

export declare function chooseInstaller(facts: MachineFacts): Installer;
