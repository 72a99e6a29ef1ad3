import { describe, expect, onTestFailed, test } from 'vitest';
import { seededRandom } from '../bench/shuffle.ts';
import { runCrashTrial, type CrashTrial } from '../kit/crash-trial.ts';
import { hasMariadb } from '../kit/mariadb-server.ts';
import { hasRedis } from '../kit/redis-server.ts';
import { hasReported } from '../kit/shoppers.ts';

// From a visitor's page to the results that the API shows, by HTTP, on real processes: an edge
// with two workers, upstreams, Redis, the API, MariaDB. The full size is `pnpm simulate:crashes`.

describe.runIf(hasRedis() && hasMariadb())('visitors at true rates of 5 %, 5 % and 7 %', () => {
  test('20,000 are counted as they were served and answered, each one', async () => {
    const trial = await runCrashTrial({
      visitors: 20_000,
      crashes: {},
      random: seededRandom(20_000),
    });
    expect(trial.retries).toBe(0);
    expect(trial.after.strangers).toEqual([]);
    expectExact(trial);
  });

  test('none that was answered 202 is lost or doubled when processes are killed', async () => {
    const seed = Date.now() % 2 ** 31;
    const crashed: string[] = [];
    onTestFailed(() => {
      process.stderr.write(`seed ${seed}, killed: ${crashed.join(', ')}\n`);
    });
    const trial = await runCrashTrial({
      visitors: 3_000,
      crashes: { worker: 4, api: 1, redis: 2, mariadb: 1 },
      random: seededRandom(seed),
      onCrash: (victim, done) => void crashed.push(`${victim} at ${done}`),
    });
    expect(crashed).toHaveLength(8);
    // Whose page a worker had not told of when it was killed, and who never came back.
    expect(trial.before.lostVisitors.filter(hasReported)).toEqual([]);
    expect(trial.before.wrongVisitors.filter(hasReported)).toEqual([]);
    expect(trial.after.strangers.length).toBeLessThanOrEqual(trial.brokenFirstPages);
    expectExact(trial);
  });
});

function expectExact({ after, expected, totals, recounted, shown }: CrashTrial): void {
  expect(after).toMatchObject({
    lostResults: [],
    wrongResults: [],
    lostVisitors: [],
    wrongVisitors: [],
  });
  expect(recounted).toEqual(expected);
  expect(totals).toEqual(expected);
  expect(shown).toEqual(expected);
}
