import { describe, expect, test } from 'vitest';
import { parseWeights } from './weights.ts';

test('weights are read, with or without a percent sign', () => {
  expect(parseWeights(['control=50', 'A=20.5', 'B=29.5%'])).toEqual({
    control: 50,
    A: 20.5,
    B: 29.5,
  });
  expect(parseWeights(['control=33.3', 'A=33.3', 'B=33.4'])).toMatchObject({ B: 33.4 });
});

describe('refused', () => {
  test.each([
    [['control'], 'Expected VARIANT=PERCENT such as A=20, got "control".'],
    [['control=-1'], 'Expected VARIANT=PERCENT such as A=20, got "control=-1".'],
    [['A=50', 'A=50'], 'Expected each variant once, got A twice.'],
    [['control=50', 'A=40'], 'with 100 % in total, got control=50 A=40 = 90 %.'],
    [[], 'in total, got nothing = 0 %.'],
  ])('%j', (texts, message) => {
    expect(() => parseWeights(texts)).toThrow(message);
  });
});
