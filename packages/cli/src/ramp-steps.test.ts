import { expect, test } from 'vitest';
import { parseSteps, stepWords } from './ramp-steps.ts';

test('steps are percentages with the time that they last', () => {
  expect(parseSteps(['1%:1h', '12.5%:90m', '100%'])).toEqual([
    { coverage: 100, for: '1h' },
    { coverage: 1_250, for: '90m' },
    { coverage: 10_000 },
  ]);
});

test.each(['1', '101%', '1%:', '1%:1', '1%:soon', '1.234%', '-1%', '%'])(
  '%s is no step',
  (text) => {
    expect(() => parseSteps([text])).toThrow(`got "${text}".`);
  },
);

test('steps are told as people say them', () => {
  expect(stepWords({ coverage: 500, for: 3_600_000 })).toBe('5 % for 1h');
  expect(stepWords({ coverage: 10_000 })).toBe('100 %');
});
