import { expect, test } from 'vitest';
import { createTimeSlices } from './time-slices.ts';

test('other work gets its turn between slices, and not within one', async () => {
  const seen: string[] = [];
  const other = () => void setImmediate(() => seen.push('other'));
  other();
  const long = createTimeSlices(60_000);
  for (let i = 0; i < 3; i++) await long();
  seen.push('within');
  const short = createTimeSlices(0);
  for (let i = 0; i < 3; i++) {
    await short();
    seen.push('next');
    other();
  }
  expect(seen).toEqual(['within', 'other', 'next', 'other', 'next', 'other', 'next']);
});
