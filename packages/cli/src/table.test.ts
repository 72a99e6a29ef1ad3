import stringWidth from 'string-width';
import { expect, test } from 'vitest';
import { table } from './table.ts';

const COLUMNS = [
  { title: 'KEY' },
  { title: 'VISITORS', align: 'right' },
  { title: 'REASON', shrinks: true },
] as const;

test('columns are as wide as what they hold, and their ends are not padded', () => {
  expect(
    table(COLUMNS, [
      ['home', '7', 'sale'],
      ['home-redesign', '12,345', ''],
    ]),
  ).toBe(
    [
      'KEY            VISITORS  REASON',
      'home                  7  sale',
      'home-redesign    12,345',
    ].join('\n'),
  );
});

test('wide characters take two columns', () => {
  const lines = table(COLUMNS, [['値段', '1', 'x']]).split('\n');
  expect(lines).toEqual(['KEY   VISITORS  REASON', '値段         1  x']);
});

test('on a narrow terminal, only columns that may be cut are', () => {
  const rows = [['home-redesign', '12,345', 'because the sale begins on Monday 👩‍👩‍👧‍👧🎉']];
  for (let width = 35; width < 75; width += 1) {
    const lines = table(COLUMNS, rows, width).split('\n');
    expect(Math.max(...lines.map((line) => stringWidth(line)))).toBeLessThanOrEqual(width);
    expect(lines[1]).toContain('home-redesign');
  }
  expect(table(COLUMNS, rows, 40).split('\n')[1]).toBe('home-redesign    12,345  because the sa…');
});

test('a table without rows is its titles', () => {
  expect(table(COLUMNS, [])).toBe('KEY  VISITORS  REASON');
});
