import { signPreview } from '@turnout/router-core';
import { expect, test } from 'vitest';
import { createPreviews } from './previews.ts';

const SECRET = 'a-secret-of-this-test-alone';
const token = signPreview(
  { experiment: 'home', variant: 'B', expires: 2_000_000_000, path: '/' },
  SECRET,
);

test('of many preview cookies only the first few are looked at', () => {
  const previews = createPreviews([SECRET], () => 1_000_000_000_000);
  const after = (forged: number) =>
    previews.of(`${'turnout-preview=x; '.repeat(forged)}turnout-preview=${token}`)?.variant;
  expect([0, 7, 8, 1_000].map(after)).toEqual(['B', 'B', undefined, undefined]);
});
