import { describe, expect, test } from 'vitest';
import { cpuOfTree, parsePs, parseStat, sumOfTree } from './cpu.ts';

test('reads /proc/<pid>/stat, whatever the program is called', () => {
  const line =
    '42 (a) R 7 (b c) S 17 42 17 0 -1 4194560 1 2 3 4 250 50 9 9 20 0 11 0 123 1 2 3 4\n';
  expect(parseStat(line)).toEqual({ pid: 42, parent: 17, cpu: 3_000_000 });
});

test.each([
  ['  42    1   0:01.25', { pid: 42, parent: 1, cpu: 1_250_000 }],
  ['42 1 00:01:02', { pid: 42, parent: 1, cpu: 62_000_000 }],
  ['42 1 2-03:00:01', { pid: 42, parent: 1, cpu: (2 * 86_400 + 3 * 3_600 + 1) * 1e6 }],
])('reads ps line %j', (line, expected) => {
  expect(parsePs(line)).toEqual(expected);
});

describe('a tree of processes', () => {
  const processes = [
    { pid: 1, parent: 0, cpu: 1_000 },
    { pid: 10, parent: 1, cpu: 100 },
    { pid: 11, parent: 10, cpu: 20 },
    { pid: 12, parent: 11, cpu: 3 },
    { pid: 13, parent: 1, cpu: 5_000 },
  ];

  test('is summed from its root down', () => {
    expect(sumOfTree(processes, 10)).toBe(123);
  });

  test('that is gone is an error, not zero', () => {
    expect(() => sumOfTree(processes, 99)).toThrow('process 99');
  });

  test('is read from the system', async () => {
    const own = process.cpuUsage();
    const seen = await cpuOfTree(process.pid);
    // Both sources round down by at most a second; ours has run for longer than none.
    expect(seen).toBeGreaterThan((own.user + own.system) * 0.5 - 1e6);
    expect(Number.isFinite(seen)).toBe(true);
  });
});
