import { expect, test } from 'vitest';
import { readCounts } from './counts.ts';

test('counts are read as they stand', () => {
  const counts = {
    control: 'wordpress',
    alpha: 0.05,
    kappa: 100,
    arms: [{ key: 'wordpress', weight: 0.5, visitors: 1000, conversions: 50 }],
  };
  expect(readCounts(JSON.stringify(counts), 'standard input')).toEqual(counts);
});

test.each([
  ['', /standard input can't be used, 1 problem:\n {2}expected JSON such as/],
  ['{}', /arms: missing \(expected array\)/],
  ['{"arms": [], "kapa": 1}', /kapa: unknown key/],
  [
    '{"arms": [{"key": "a", "weight": "1", "visitors": 1}]}',
    /arms\[0\].weight: expected number, got "1"/,
  ],
  [
    '{"arms": [{"key": "", "weight": 1, "visitors": 1, "conversions": 0}]}',
    /arms\[0\].key: expected a name, got ""/,
  ],
])('%s is refused', (source, message) => {
  expect(() => readCounts(source, 'standard input')).toThrow(message);
});
