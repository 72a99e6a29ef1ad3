// What docs/statistics.md promises, measured at full size: `pnpm simulate:statistics`, some
// minutes. Ends with 1 when a promise is not kept. An argument sets the number of experiments.

import process from 'node:process';
import { brokenSplits, coverage, falsePositives } from './measure.ts';

const experiments = Number(process.argv[2] ?? 10_000);
if (!Number.isSafeInteger(experiments) || experiments < 1) {
  process.stderr.write('usage: node test/simulations/run.ts [experiments]\n');
  process.exit(2);
}

print(`${experiments} experiments of 100,000 visitors, split 20/30/50, looked at 100 times each`);

for (const [index, rate] of [0.005, 0.03, 0.2, 0.5].entries()) {
  const { alwaysValid, hybrid, naive } = falsePositives(rate, experiments, 100 + index);
  print(`\nNo difference, rate ${percent(rate)}: how often something is found`);
  claim('always valid', alwaysValid, '≤ 5 %', alwaysValid <= 0.05);
  claim('hybrid plan', hybrid, '≤ 5.65 %', hybrid <= 0.0565);
  claim('z-test at each look', naive, '> 25 %', naive > 0.25);
}

print('\nThe split: how often it is called broken');
const fair = brokenSplits(0, experiments, 200);
const lossy = brokenSplits(0.05, experiments, 201);
claim('as planned', fair.broken, '≤ 0.1 %', fair.broken <= 0.001);
claim('5 % of one arm lost', lossy.broken, '≥ 99 %', lossy.broken >= 0.99);
print(`  in the middle case after ${lossy.medianLook},000 visitors`);

for (const [index, rate] of [0.03, 0.2].entries()) {
  const { always, last } = coverage(rate, 0.2, experiments, 300 + index);
  print(`\nA lift of 20 %, rate ${percent(rate)}: how often the confidence sequence holds it`);
  claim('at all 100 looks', always, '≥ 95 %', always >= 0.95);
  claim('at the last look', last, '≥ 95 %', last >= 0.95);
}

function claim(what: string, share: number, promised: string, isKept: boolean): void {
  print(`  ${isKept ? '✓' : '✗'} ${what}: ${percent(share)} (${promised})`);
  if (!isKept) process.exitCode = 1;
}

function percent(share: number): string {
  return `${Math.round(share * 100_000) / 1_000} %`;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
