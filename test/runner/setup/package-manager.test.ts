import { expect, test } from 'vitest';
import { chooseInstaller } from '../../../runner/setup/package-manager.mjs';

const machine = (programs: string[], rights: { isRoot?: boolean; canSudo?: boolean } = {}) => ({
  isRoot: rights.isRoot ?? false,
  canSudo: rights.canSudo ?? false,
  has: (program: string) => programs.includes(program),
});

test('root on Debian installs directly, without questions and without recommended packages', () => {
  expect(chooseInstaller(machine(['apt-get', 'sudo'], { isRoot: true }))).toMatchObject({
    kind: 'install',
    prefix: [],
    program: 'apt-get',
    packages: ['redis-server', 'valkey-server'],
    extras: ['libfaketime'],
    install: expect.arrayContaining(['-y', '--no-install-recommends']),
    env: { DEBIAN_FRONTEND: 'noninteractive' },
  });
});

test('a user whose sudo asks for nothing goes through it', () => {
  expect(chooseInstaller(machine(['dnf', 'yum'], { canSudo: true }))).toMatchObject({
    prefix: ['sudo', '-n'],
    program: 'dnf',
  });
});

test('a user without rights gets the command to type', () => {
  expect(chooseInstaller(machine(['apt-get']))).toEqual({
    kind: 'forbidden',
    command: 'sudo apt-get install -y redis-server',
  });
  expect(chooseInstaller(machine(['apk']))).toEqual({
    kind: 'forbidden',
    command: 'sudo apk add --no-cache redis',
  });
});

test('Homebrew needs no rights, and is not run as root', () => {
  expect(chooseInstaller(machine(['brew']))).toMatchObject({ kind: 'install', prefix: [], program: 'brew' });
  expect(chooseInstaller(machine(['brew'], { isRoot: true }))).toEqual({
    kind: 'forbidden',
    command: 'brew install redis',
  });
});

test('a second manager that may be used is better than a first one that may not', () => {
  expect(chooseInstaller(machine(['apt-get', 'brew']))).toMatchObject({ kind: 'install', program: 'brew' });
});

test('no known manager', () => {
  expect(chooseInstaller(machine([]))).toEqual({ kind: 'none' });
});
