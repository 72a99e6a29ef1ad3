import { experimentSchema } from '@turnout/contracts';
import { expect, test } from 'vitest';
import { applied } from './change.ts';

const document = (key: string, more: Readonly<Record<string, unknown>> = {}) =>
  experimentSchema.parse({
    key,
    status: 'running',
    variants: [
      { key: 'control', upstream: 'site', weight: 50, control: true },
      { key: 'A', upstream: 'site', weight: 50 },
    ],
    ...more,
  });

test('what the file names takes its place, all else stays where it is', () => {
  const [home, plans] = [document('home'), document('plans')];
  const [paused, fresh] = [document('plans', { status: 'paused' }), document('fresh')];
  expect(applied([home, plans], [fresh, paused])).toEqual([home, paused, fresh]);
});

test('who says the same is the very same, whatever the API has written into it', () => {
  const variants = document('home').variants.map((variant, index) => ({
    ...variant,
    slots: [[index * 5_000, (index + 1) * 5_000]],
  }));
  const live = document('home', { revision: 7, phase: 2, variants });
  expect(applied([live], [document('home')])[0]).toBe(live);
  const next = document('home', { phase: 3 });
  expect(applied([live], [next])[0]).toBe(next);
});
