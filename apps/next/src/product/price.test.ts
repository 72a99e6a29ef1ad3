import { describe, expect, test } from 'vitest';
import { formatPrice } from './price.ts';

describe('formatPrice', () => {
  test.each([
    [1500, '€15'],
    [1550, '€15.50'],
    [999, '€9.99'],
    [5, '€0.05'],
    [0, '€0'],
    [123_400, '€1,234'],
  ])('%i cents read %s', (minor, shown) => {
    expect(formatPrice(minor, 'EUR')).toBe(shown);
  });
});
