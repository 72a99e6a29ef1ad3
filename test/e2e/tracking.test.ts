import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EventLog } from '@turnout/event-log';
import { createRedisEventLog } from '@turnout/event-log/redis';
import type { ExperimentResults } from '@turnout/contracts/results';
import { createConnection } from 'mysql2/promise';
import type { RowDataPacket } from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { seededRandom } from '../bench/shuffle.ts';
import { startApi, type ApiProcess } from '../kit/api-process.ts';
import {
  accessibilityProblems,
  hasChromium,
  horizontalOverflow,
  launchBrowser,
} from '../kit/browser.ts';
import { runTurnout } from '../kit/edge-process.ts';
import { hasMariadb, startMariadb, type MariadbServer } from '../kit/mariadb-server.ts';
import { hasRedis, startRedis, type RedisServer } from '../kit/redis-server.ts';
import { trackVisitors, type TrackedVisitors } from '../kit/tracked-visitors.ts';
import { countedTotals, recountedTotals } from '../kit/tracking-totals.ts';
import { until } from '../kit/until.ts';

// From the event log to results, on real processes: Redis, MariaDB, and the API, one or two.

const EXPERIMENTS = ['shop', 'crashes', 'outage'];
const config = {
  upstreams: { site: { url: 'http://127.0.0.1:9' } },
  default: 'site',
  experiments: EXPERIMENTS.map((key) => ({
    key,
    status: 'running',
    scope: { paths: [`/${key}/**`] },
    variants: [
      { key: 'control', upstream: 'site', weight: 50, control: true },
      { key: 'A', upstream: 'site', weight: 20 },
      { key: 'B', upstream: 'site', weight: 30 },
    ],
  })),
};

/** Visitors who came in the last nine days, at the rates that are true. */
function visit(experiment: string, visitors: number): TrackedVisitors {
  return trackVisitors({
    experiment,
    visitors,
    variants: {
      control: { share: 0.5, rate: 0.05 },
      A: { share: 0.2, rate: 0.05 },
      B: { share: 0.3, rate: 0.07 },
    },
    random: seededRandom(7),
    from: Date.now() - 9 * 86_400_000,
    over: 8 * 86_400_000,
  });
}

/** Appends as an edge does whose answer was lost: some events go twice. */
async function append(log: EventLog, { events }: TrackedVisitors): Promise<void> {
  for (let at = 0; at < events.length; at += 1_000) {
    const texts = events.slice(at, at + 1_000).map((event) => JSON.stringify(event));
    await log.append(texts);
    if (at % 5_000 === 0) await log.append(texts.toReversed());
  }
}

/** What SQL is to hold of them. */
function sent({ events, expected }: TrackedVisitors) {
  const totals = new Map([...expected].toSorted(([a], [b]) => (a < b ? -1 : 1)));
  const results = events.filter(({ kind }) => kind === 'result').length;
  return { totals, recounted: totals, results };
}

describe.runIf(hasRedis() && hasMariadb())('tracking', () => {
  let redis: RedisServer;
  let mariadb: MariadbServer;
  let log: EventLog;
  let api: ApiProcess;

  const begin = (earlier?: ApiProcess): Promise<ApiProcess> =>
    startApi(config, { TURNOUT_REDIS_URL: redis.url, TURNOUT_MYSQL_URL: mariadb.url }, earlier);
  const drained = (): Promise<void> =>
    until(
      'an empty log',
      () => log.lag(),
      (lag) => lag === 0,
    );
  const turnout = (...args: readonly string[]) => runTurnout(args, {}, { cwd: api.folder });

  beforeAll(async () => {
    [redis, mariadb] = await Promise.all([
      startRedis(),
      startMariadb(['--innodb-buffer-pool-size=128M']),
    ]);
    log = createRedisEventLog({ url: redis.url });
    api = await begin();
  });
  afterAll(async () => {
    await api?.remove();
    await log?.close();
    await Promise.all([redis?.stop(), mariadb?.stop()]);
  });

  /** What SQL holds of them: totals, totals counted anew from the rows, and how many results. */
  async function counted({ experiment }: TrackedVisitors) {
    const connection = await createConnection(mariadb.url);
    const [rows] = await connection.execute<RowDataPacket[]>(
      'SELECT COUNT(*) AS results FROM test_results WHERE experiment = ?',
      [experiment],
    );
    await connection.end();
    return {
      totals: await countedTotals(mariadb.url, experiment),
      recounted: await recountedTotals(mariadb.url, experiment),
      results: rows[0]?.['results'],
    };
  }

  describe('20,000 visitors at true rates of 5 %, 5 % and 7 %', () => {
    const visitors = visit('shop', 20_000);
    beforeAll(async () => {
      await append(log, visitors);
      await drained();
    });

    test('are counted in SQL exactly as they were sent', async () => {
      expect(await counted(visitors)).toEqual(sent(visitors));
    });

    test('show the better variant, and do not call the equal one anything', async () => {
      const { code, stdout } = await turnout('results', 'shop', '--json');
      expect(code).toBe(0);
      const results: ExperimentResults = JSON.parse(stdout);
      expect(results.trust.level).toBe('sound');
      expect(results.verdict).toMatch(
        /^B converts better than control, with a lift from \+\d+ % to \+\d+ %; A is not decided\.$/,
      );
      expect(results.warnings).toEqual([]);
      for (const counts of results.counts.variants) {
        expect(counts).toMatchObject(visitors.expected.get(counts.variant) ?? {});
      }
    });

    test('are told on a terminal, with a forest plot', async () => {
      const { code, stdout } = await turnout('results', 'shop');
      expect(code).toBe(0);
      expect(stdout).toMatch(/^shop, phase 1: signup, \d{4}-\d\d-\d\d/);
      expect(stdout).toMatch(/^✓ The split is as planned/m);
      expect(stdout).toMatch(/^B +│ +├─+●─+┤ +\+\d+ %/m);
      expect(stdout).toMatch(/^Confirmed visitors: their cookie came back$/m);
      expect(stdout).toMatch(/^ {2}0 bots: /m);
      expect(stdout).not.toMatch(/no effect|winner|NaN|undefined/i);
    });

    test('are told as CSV, a row for each variant and population', async () => {
      const { stdout } = await turnout('results', 'shop', '--csv');
      const [titles = '', ...rows] = stdout.trim().split('\r\n');
      const at = (row: string, title: string) => row.split(',')[titles.split(',').indexOf(title)];
      expect(rows.map((row) => [at(row, 'population'), at(row, 'variant')])).toEqual(
        ['raw', 'confirmed'].flatMap((population) =>
          ['control', 'A', 'B'].map((variant) => [population, variant]),
        ),
      );
      for (const row of rows.slice(0, 3)) {
        const expected = visitors.expected.get(at(row, 'variant') ?? '');
        expect(Number(at(row, 'visitors'))).toBe(expected?.exposed);
        expect(Number(at(row, 'rate'))).toBe(
          (expected?.conversions ?? 0) / (expected?.exposed ?? 1),
        );
      }
      expect(rows.slice(0, 3).map((row) => at(row, 'decision'))).toEqual(['', 'open', 'better']);
    });

    test.runIf(hasChromium())(
      'are told by a page that is readable on a phone, in light and dark',
      async () => {
        const file = join(api.folder, 'report.html');
        const { code } = await turnout('results', 'shop', '--html', file);
        expect(code).toBe(0);
        const source = await readFile(file, 'utf8');
        expect(source).not.toMatch(/<script|https?:|@import|url\(/);
        const browser = await launchBrowser();
        try {
          for (const colorScheme of ['light', 'dark'] as const) {
            const page = await browser.newPage({
              colorScheme,
              viewport: { width: 360, height: 740 },
            });
            await page.goto(`file://${file}`);
            expect([colorScheme, await horizontalOverflow(page)]).toEqual([colorScheme, 0]);
            expect(await page.locator('svg .estimate').count()).toBe(4);
            expect(await page.locator('.verdict').innerText()).toMatch(
              /^B converts better than control/,
            );
            expect(await accessibilityProblems(page)).toEqual([]);
          }
        } finally {
          await browser.close();
        }
      },
    );

    test('can be told of another metric or phase only if there is one', async () => {
      expect(await turnout('results', 'shop', '--phase', '2')).toMatchObject({
        code: 1,
        stderr: 'error: shop has no phase 2; the present one is 1.\n',
      });
      expect((await turnout('results', 'shop', '--phase', 'x')).code).toBe(2);
      expect((await turnout('results', 'outage')).stderr).toMatch(
        /^error: Nothing was reported for outage yet/,
      );
    });

    test('leave metrics of the drain', async () => {
      const text = await (await fetch(`${api.url}/metrics`)).text();
      expect(text).toMatch(/^turnout_event_log_lag 0$/m);
      const [, drainedEvents] = /^turnout_drained_events_total (\d+)$/m.exec(text) ?? [];
      expect(Number(drainedEvents)).toBeGreaterThanOrEqual(visitors.events.length);
    });
  });

  test('nothing is lost or doubled when processes are killed while two APIs drain', async () => {
    const visitors = visit('crashes', 12_000);
    const random = seededRandom(Date.now());
    let other = await begin();
    try {
      const appended = append(log, visitors);
      for (let round = 0; round < 4; round += 1) {
        await sleep(random() * 400);
        await mariadb.kill();
        await sleep(random() * 200);
        await other.kill();
        await mariadb.restart();
        other = await begin(other);
      }
      await appended;
      await drained();
      expect(await counted(visitors)).toEqual(sent(visitors));
    } finally {
      await other.remove();
    }
  });

  test('what comes while the database is down is there after, to the last event', async () => {
    const visitors = visit('outage', 12_000);
    await mariadb.kill();
    await append(log, visitors);
    expect(await log.lag()).toBeGreaterThanOrEqual(visitors.events.length);
    const results = await turnout('results', 'outage', '--metric', 'signup');
    expect(results).toMatchObject({ code: 3, stderr: expect.stringMatching(/database/) });
    await mariadb.restart();
    await drained();
    expect(await counted(visitors)).toEqual(sent(visitors));
  });
});
