import { expect, test } from 'vitest';
import { afterCrash, defaultRestartPolicy } from './restart-policy.ts';

test('the wait doubles with each crash, up to the longest', () => {
  const crashes = [1000, 2000, 3000, 4000, 5000];
  const waits = crashes.map((_, i) => afterCrash(crashes.slice(0, i + 1), defaultRestartPolicy));
  expect(waits).toEqual([250, 500, 1000, 2000, 4000]);
  expect(afterCrash([...crashes, 6000], { ...defaultRestartPolicy, crashesAllowed: 9 })).toBe(5000);
});

test('one crash more than allowed within the window is too many', () => {
  expect(afterCrash([0, 1, 2, 3, 4, 59_999], defaultRestartPolicy)).toBe('give-up');
});

test('crashes that are a window apart are forgotten', () => {
  expect(afterCrash([0, 1, 2, 3, 4, 60_004], defaultRestartPolicy)).toBe(250);
});
