import { expect, test } from 'vitest';
import { forestPlot } from './forest-plot.ts';

test('lines share a scale, on which half as much is as far away as twice as much', () => {
  const { axis, lines } = forestPlot(
    [
      { estimate: 0, low: -0.5, high: 1 },
      { estimate: 0.5, low: 0.25, high: 1 },
    ],
    21,
  );
  expect([axis, ...lines]).toEqual([
    '-50 %     0    +100 %',
    '├─────────●─────────┤',
    '          │  ├──●───┤',
  ]);
});

test('what has no end, or lies too far away, ends in an arrow', () => {
  const { lines } = forestPlot(
    [
      { estimate: null, low: -1, high: null },
      { estimate: 0.1, low: -0.2, high: 50 },
    ],
    21,
  );
  expect(lines[0]).toMatch(/^←─+┼─+→$/);
  expect(lines[1]).toBe('         ├●─────────→');
});

test('whatever the limits, lines fit', () => {
  for (const low of [-1, -0.9, -0.001, 0, 0.5, 20]) {
    for (const high of [null, 0, 0.0001, 5, 1e300]) {
      for (const width of [20, 36]) {
        const { axis, lines } = forestPlot([{ estimate: high, low, high }], width);
        expect(axis.length).toBe(width);
        expect(lines[0]?.length).toBeLessThanOrEqual(width);
      }
    }
  }
});

test('nothing to draw is an empty scale', () => {
  expect(forestPlot([], 20).lines).toEqual([]);
});
