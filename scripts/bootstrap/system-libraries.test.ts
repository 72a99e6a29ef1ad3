import { expect, test } from 'vitest';
import { lacksLibatomic } from './system-libraries.mjs';

const WITH = '\tlibatomic.so.1 (libc6,x86-64) => /lib/x86_64-linux-gnu/libatomic.so.1\n';
const WITHOUT = '\tlibc.so.6 (libc6,x86-64) => /lib/x86_64-linux-gnu/libc.so.6\n';

test.runIf(process.platform === 'linux')('libatomic is missed where the linker lacks it', () => {
  expect(lacksLibatomic(WITHOUT)).toBe(true);
  expect(lacksLibatomic(WITHOUT + WITH)).toBe(false);
});

test('a linker that tells nothing is no reason to stop', () => {
  expect(lacksLibatomic('')).toBe(false);
});

test('here it is, since this very Node runs', () => {
  expect(lacksLibatomic()).toBe(false);
});
