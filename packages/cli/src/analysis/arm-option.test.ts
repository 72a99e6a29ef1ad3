import { expect, test } from 'vitest';
import { readArm } from './arm-option.ts';

test.each([
  ['next=0.5:1000:61', { key: 'next', weight: 0.5, visitors: 1000, conversions: 61 }],
  ['a=b=50:1e8:0', { key: 'a=b', weight: 50, visitors: 100_000_000, conversions: 0 }],
])('%s', (text, arm) => {
  expect(readArm(text)).toEqual(arm);
});

test.each([
  'next',
  'next=50:10',
  'next=50::1',
  '=1:1:1',
  'next=-1:1:1',
  'next=1:1:1:1',
  'next=0x1:1:1',
])('%s is refused', (text) => {
  expect(() => readArm(text)).toThrow('Expected an arm as key=weight:visitors:conversions');
});
