import { expect, test } from 'vitest';
import { nodeFor } from './platform.mjs';

const linux = { platform: 'linux', arch: 'x64', musl: false, nodeVersion: '18.20.0' };

test.each([
  [linux, { node: 'pinned' }],
  [{ ...linux, platform: 'darwin', arch: 'arm64' }, { node: 'pinned' }],
  [{ ...linux, musl: true, nodeVersion: '24.1.0' }, { node: 'own' }],
  [{ ...linux, arch: 'riscv64', nodeVersion: '26.0.0' }, { node: 'own' }],
])('%o', (machine, expected) => {
  expect(nodeFor(machine)).toEqual(expected);
});

test.each([
  [{ ...linux, musl: true }, /linux-x64 with musl.*Put Node 24 or newer on the PATH/],
  [
    { ...linux, arch: 's390x' },
    /linux-s390x\. Put Node 24 or newer on the PATH \(this is 18\.20\.0\)/,
  ],
  [{ ...linux, platform: 'win32', nodeVersion: '26.0.0' }, /use WSL/],
])('%o is refused with what to do', (machine, problem) => {
  expect(nodeFor(machine)).toEqual({ problem: expect.stringMatching(problem) });
});
