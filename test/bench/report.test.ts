import { expect, test } from 'vitest';
import { parseArguments } from './arguments.ts';
import { summarise } from './figures.ts';
import { aligned, heading, scenarioTable } from './report.ts';

test('aligns names to the left and figures to the right', () => {
  expect(
    aligned([
      ['', 'a', 'long'],
      ['name', '1,000', '2'],
    ]),
  ).toBe('          a  long\nname  1,000     2');
});

test('a table names its units, its spread and what it compares with', () => {
  const series = [
    {
      contender: 'new',
      samples: [{ requests: 9, requestsPerSecond: 12_000, p50: 4, p99: 20, cpu: 40 }],
    },
    {
      contender: 'old',
      samples: [{ requests: 9, requestsPerSecond: 6_000, p50: 8, p99: 30, cpu: 80 }],
    },
  ];
  const table = scenarioTable({ scenario: 'first', contenders: summarise(series, 'old') }, 'old');
  expect(table).toBe(`First visits (no cookie: each request makes and keeps a new visitor)

                 p50   p99    CPU µs        requests/s               CPU
     requests/s   ms    ms  /request             × old             × old
new      12,000  4.0  20.0      40.0  2.00 (2.00–2.00)  0.50 (0.50–0.50)
old       6,000  8.0  30.0      80.0                 1                 1
`);
});

test('without the one to compare with, there is a dash', () => {
  const series = [
    {
      contender: 'new',
      samples: [{ requests: 9, requestsPerSecond: 12_000, p50: 4, p99: 20, cpu: 40 }],
    },
  ];
  const table = scenarioTable({ scenario: 'first', contenders: summarise(series, 'old') }, 'old');
  expect(table).toMatch(/40\.0 +– +–$/m);
});

test('the heading says so when the machine is too busy', () => {
  const machine = {
    date: '2026-01-31T00:00:00.000Z',
    node: 'v26.10.0',
    platform: 'linux 6.1 x64',
    cpu: 'Some CPU',
    cores: 4,
    memoryMb: 8_000,
    load: 2,
  };
  const settings = parseArguments(['--rounds', '3']);
  if (settings === 'help') throw new Error('Expected settings');
  const quiet = `Node v26.10.0, linux 6.1 x64, Some CPU, 4 cores
Medians of 3 rounds of 2 s, 64 connections; ratios: median (lowest–highest)`;
  expect(heading(machine, settings)).toBe(quiet);
  expect(heading({ ...machine, load: 2.1 }, settings)).toMatch(/load average 2\.1/);
});
