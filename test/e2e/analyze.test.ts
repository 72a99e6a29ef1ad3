import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { once } from 'node:events';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import type { Analysis } from '@turnout/stats';
import { expect, test } from 'vitest';
import cases from '../cases/analysis.json' with { type: 'json' };

const CLI = fileURLToPath(new URL('../../packages/cli/src/main.ts', import.meta.url));

async function analyze(args: readonly string[], input?: string) {
  const child = spawn(process.execPath, [CLI, 'analyze', ...args], {
    env: { ...process.env, NO_COLOR: '1' },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.stdin.end(input);
  const [stdout, stderr] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  return { code: child.exitCode, stdout, stderr };
}

const [scenario] = cases.scenarios;
const counts = { control: scenario?.control, alpha: 0.05, kappa: 100, arms: scenario?.arms };

test('JSON in, JSON out, every figure at full precision', async () => {
  const { code, stdout, stderr } = await analyze(['--json'], JSON.stringify(counts));
  expect([code, stderr]).toEqual([0, '']);
  const analysis: Analysis = JSON.parse(stdout);
  expect(analysis).toMatchObject({ control: 'wordpress', alpha: 0.05, kappa: 100 });
  expect(analysis.comparisons[0]).toMatchObject({
    key: 'b',
    pooledZ: { p: expect.closeTo(scenario?.comparisons[0]?.p ?? 0, 14) },
  });
});

test('arms by options are the same, and options come before what stands in the JSON', async () => {
  const arms = (scenario?.arms ?? []).flatMap((arm) => [
    '--arm',
    `${arm.key}=${arm.weight}:${arm.visitors}:${arm.conversions}`,
  ]);
  const [byOptions, byJson] = await Promise.all([
    analyze([...arms, '--control', 'c', '--alpha', '0.01', '--kappa', '8', '--json']),
    analyze(
      ['--control', 'c', '--alpha', '0.01', '--kappa', '8', '--json'],
      JSON.stringify(counts),
    ),
  ]);
  expect(byOptions.stdout).toBe(byJson.stdout);
  expect(JSON.parse(byJson.stdout)).toMatchObject({ control: 'c', alpha: 0.01, kappa: 8 });
});

test('people get a verdict, tables and a plot', async () => {
  const { code, stdout } = await analyze([], JSON.stringify(counts));
  expect(code).toBe(0);
  expect(stdout).toMatch(/^Not decided yet/);
  expect(stdout).toMatch(/├─+┼─+●─+┤/);
});

test.each([
  [[], '{"arms": [{}]}', 'arms[0].key: missing'],
  [[], 'arms', 'expected JSON such as'],
  [['--arm', 'a=1:2:3'], '', 'expected no more conversions than visitors for a, got 3 of 2'],
  [['--arm', 'a'], '', 'Expected an arm as key=weight:visitors:conversions'],
  [['--arm', 'a=1:2:1', '--alpha', '2'], '', 'expected alpha between 0 and 1, got 2'],
  [['--arm', 'a=1:2:1', '--plan', 'hybrid'], '', 'a hybrid plan needs plannedVisitors'],
])('%j with %j is refused', async (args, input, message) => {
  const { code, stdout, stderr } = await analyze(args, input);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toContain(message);
});
