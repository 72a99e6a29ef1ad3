import { experimentSchema } from '@turnout/contracts';
import type { Change } from '@turnout/contracts/management';
import { expect, test } from 'vitest';
import { showChange, showChanges, splitOf, tellChange } from './change-report.ts';

const document = experimentSchema.parse({
  key: 'home',
  status: 'running',
  variants: [
    { key: 'control', upstream: 'site', weight: 70, control: true },
    { key: 'A', upstream: 'next', weight: 30 },
  ],
});

const change: Change = {
  action: 'change',
  dryRun: true,
  experiment: {
    key: 'home',
    revision: 4,
    document,
    author: 'ann',
    reason: 'x',
    createdAt: '2026-11-24T14:10:00Z',
    updatedAt: '2026-11-24T14:10:00Z',
  },
  diff: [{ path: ['variants', 'A', 'weight'], before: 20, after: 30 }],
  preview: {
    slotsMoved: 1_000,
    moves: [{ from: 'control', to: 'A', share: 0.125, visitors: 1_234 }],
    counted: { visitors: 12_345, days: 30 },
  },
  published: { revision: 9 },
};

test('a change shows what differs, and who would move', () => {
  expect(showChange(change)).toBe(
    [
      'home',
      '  weight of A: 20 % → 30 %',
      '  10 % of new visitors would get another variant than before.',
      '  Visitors who would move (an estimate from 12,345 who were assigned in the last 30 days):',
      '    FROM     TO   SHARE  VISITORS',
      '    control  A   12.5 %     1,234',
    ].join('\n'),
  );
});

test('where the ledger could not count, numbers are not made up', () => {
  const { counted: _, ...preview } = change.preview;
  const shown = showChange({ ...change, preview });
  expect(shown).toContain('how many there are, the ledger could not say');
  expect(shown).toMatch(/control {2}A {3}12\.5 % +\?$/);
});

test('a status tells what it does, and nothing of slots', () => {
  const paused = showChange({
    ...change,
    experiment: { ...change.experiment, document: { ...document, status: 'paused' } },
    diff: [{ path: ['status'], before: 'running', after: 'paused' }],
    preview: { slotsMoved: 0, moves: [] },
  });
  expect(paused).toBe(
    'home\n  status: running → paused\n  Nobody new takes part; who is assigned keeps the variant.',
  );
});

test('several changes: those that do nothing are left out', () => {
  const nothing: Change = { ...change, action: 'none', diff: [] };
  const created: Change = { ...change, action: 'create', diff: [] };
  expect(showChanges([nothing, nothing])).toBeUndefined();
  expect(showChanges([nothing, created])).toBe('home is new: running, control 70 / A 30');
  expect(tellChange(nothing)).toBe('home is as it was, at revision 4.');
  expect(tellChange(created)).toBe('home is at revision 4 now.');
  expect(splitOf(document)).toBe('control 70 / A 30');
});
