import { expect, test } from 'vitest';
import { experimentDocument } from '../testing/experiment-documents.ts';
import { documentDiff } from './document-diff.ts';

const [control, A] = experimentDocument().variants;
const B = { key: 'B', upstream: 'vue', weight: 0 };

/** Both variants with their slots: control has those below `first`. */
function slots(first: number) {
  return experimentDocument({
    variants: [
      { ...control, weight: first / 100, slots: [[0, first]] },
      { ...A, weight: 100 - first / 100, slots: [[first, 10_000]] },
    ],
  });
}

test('says nothing of the same document, whatever its revision', () => {
  expect(documentDiff(experimentDocument(), experimentDocument({ revision: 7 }))).toEqual([]);
});

test('names what was changed, added and taken away', () => {
  expect(
    documentDiff(
      experimentDocument({ title: 'Old', coverage: 100 }),
      experimentDocument({ coverage: 200, audience: { bot: false } }),
    ),
  ).toEqual([
    { path: ['title'], before: 'Old' },
    { path: ['coverage'], before: 100, after: 200 },
    { path: ['audience'], after: { bot: false } },
  ]);
});

test('compares variants by key: a new first one leaves the others alone', () => {
  expect(
    documentDiff(experimentDocument(), experimentDocument({ variants: [B, control, A] })),
  ).toEqual([{ path: ['variants', 'B'], after: { upstream: 'vue', weight: 0, control: false } }]);
});

test('tells another order of variants, as it says which slots come first', () => {
  expect(
    documentDiff(experimentDocument(), experimentDocument({ variants: [A, control] })),
  ).toEqual([{ path: ['variants'], before: ['control', 'A'], after: ['A', 'control'] }]);
});

test('tells slots and moves whole', () => {
  const moves = [{ from: 'control', to: 'A', revision: 2, slots: [[4000, 5000]] }];
  expect(documentDiff(slots(5000), experimentDocument({ ...slots(4000), moves }))).toEqual([
    { path: ['variants', 'control', 'weight'], before: 50, after: 40 },
    { path: ['variants', 'A', 'weight'], before: 50, after: 60 },
    { path: ['variants', 'control', 'slots'], before: [[0, 5000]], after: [[0, 4000]] },
    { path: ['variants', 'A', 'slots'], before: [[5000, 10_000]], after: [[4000, 10_000]] },
    { path: ['moves'], after: moves },
  ]);
});
