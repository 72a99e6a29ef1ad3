import { expect, test } from 'vitest';
import { add, closingLine, countsOf, isFailure, none } from './counts.ts';

const report = {
  numPassedTests: 5,
  numFailedTests: 0,
  numPendingTests: 0,
  numTodoTests: 0,
  success: true,
  testResults: [{ status: 'passed', assertionResults: [{ status: 'passed' }] }],
};

test('a good run counts as it is', () => {
  expect(countsOf(report, 0)).toEqual({ passed: 5, failed: 0, skipped: 0 });
});

test('failed, skipped and todo tests are counted', () => {
  const mixed = {
    ...report,
    numFailedTests: 2,
    numPendingTests: 1,
    numTodoTests: 1,
    success: false,
    testResults: [{ status: 'failed', assertionResults: [{ status: 'failed' }] }],
  };
  expect(countsOf(mixed, 1)).toEqual({ passed: 5, failed: 2, skipped: 2 });
});

test('a suite file that broke counts as one failure', () => {
  const broken = {
    ...report,
    success: false,
    testResults: [...report.testResults, { status: 'failed', assertionResults: [] }],
  };
  expect(countsOf(broken, 1).failed).toBe(1);
});

test('a run that failed outside of any test, or left no report, counts as one failure', () => {
  expect(countsOf(report, 1).failed).toBe(1);
  expect(countsOf(undefined, 1)).toEqual({ passed: 0, failed: 1, skipped: 0 });
});

test('the closing line names skipped tests only if there are any', () => {
  expect(closingLine({ passed: 3, failed: 0, skipped: 0 })).toBe('3 passed, 0 failed');
  expect(closingLine({ passed: 3, failed: 1, skipped: 2 })).toBe('3 passed, 1 failed, 2 skipped');
});

test('skipped tests fail in CI alone; no tests at all fail everywhere', () => {
  const skipped = add({ ...none, passed: 1 }, { ...none, skipped: 1 });
  expect([isFailure(skipped, false), isFailure(skipped, true)]).toEqual([false, true]);
  expect(isFailure(none, false)).toBe(true);
});
