import assert from 'node:assert/strict';
import { createRedisEventLog } from '@turnout/event-log/redis';
import { createConnection } from 'mysql2/promise';
import type { RowDataPacket } from 'mysql2/promise';
import { startApi } from '../kit/api-process.ts';
import { startMariadb } from '../kit/mariadb-server.ts';
import { startRedis } from '../kit/redis-server.ts';
import { trackVisitors } from '../kit/tracked-visitors.ts';
import { countedTotals, recountedTotals } from '../kit/tracking-totals.ts';
import { cpuOfTree } from './cpu.ts';
import { describeMachine } from './machine.ts';
import { seededRandom } from './shuffle.ts';

// How fast do events get from the event log into MariaDB? `pnpm bench:drain [EVENTS] [APIS]`
//
// 1. Start redis-server, mariadbd and APIS processes of the API (1 unless told otherwise), each as
//    in production but on this machine. Then end mariadbd as a crash would.
// 2. Append EVENTS events of made-up visitors (200,000) to the log, start mariadbd again, and wait
//    until the log is empty.
// 3. Check the totals against what was sent: what is counted wrong is not measured.
//
// The rate is that of the stretch from the first event in SQL to the last. On a machine that has
// other work, the CPU time tells more: it is what an event costs, by process.

const EVENTS = Number(process.argv[2] ?? 200_000);
const APIS = Number(process.argv[3] ?? 1);
const EVENTS_PER_VISITOR = 2.54;
const PIECE = 1_000;

const { events, expected } = trackVisitors({
  experiment: 'bench',
  visitors: Math.round(EVENTS / EVENTS_PER_VISITOR),
  variants: {
    control: { share: 0.5, rate: 0.05 },
    A: { share: 0.2, rate: 0.05 },
    B: { share: 0.3, rate: 0.07 },
  },
  random: seededRandom(1),
  from: Date.UTC(2026, 10, 24),
  over: 7 * 86_400_000,
});

const redis = await startRedis();
const mariadb = await startMariadb([
  '--innodb-buffer-pool-size=512M',
  '--innodb-log-file-size=256M',
]);
const log = createRedisEventLog({ url: redis.url });
const CONFIG = {
  public: { port: 0 },
  upstreams: { site: { url: 'http://127.0.0.1:1' } },
  default: 'site',
};
try {
  const apis = await Promise.all(
    Array.from({ length: APIS }, () =>
      startApi(CONFIG, { TURNOUT_REDIS_URL: redis.url, TURNOUT_MYSQL_URL: mariadb.url }),
    ),
  );
  await mariadb.kill();
  for (let at = 0; at < events.length; at += PIECE) {
    await log.append(events.slice(at, at + PIECE).map((event) => JSON.stringify(event)));
  }
  print(`${events.length} events wait in the log`);
  await mariadb.restart();

  const connection = await createConnection(mariadb.url);
  const drained = async (): Promise<number> => {
    const [rows] = await connection.query<RowDataPacket[]>(
      'SELECT COUNT(*) AS n FROM test_results',
    );
    return Number(rows[0]?.['n']);
  };
  while ((await drained()) === 0) await new Promise((done) => setTimeout(done, 5));
  const first = events.length - ((await log.lag()) ?? 0);
  const began = performance.now();
  const before = await cpu();
  while ((await log.lag()) !== 0) await new Promise((done) => setTimeout(done, 50));
  const seconds = (performance.now() - began) / 1_000;
  const after = await cpu();

  const sent = new Map([...expected].toSorted(([a], [b]) => (a < b ? -1 : 1)));
  assert.deepEqual(await countedTotals(mariadb.url, 'bench'), sent);
  assert.deepEqual(await recountedTotals(mariadb.url, 'bench'), sent);
  const measured = events.length - first;
  print(JSON.stringify(describeMachine(new Date())));
  print(
    JSON.stringify({
      apis: APIS,
      events: measured,
      seconds: Number(seconds.toFixed(2)),
      perSecond: Math.round(measured / seconds),
      cpuMicrosecondsPerEvent: Object.fromEntries(
        Object.entries(after).map(([name, time]) => [
          name,
          Number(((time - (before[name] ?? 0)) / measured).toFixed(1)),
        ]),
      ),
    }),
  );
  await connection.end();
  await Promise.all(apis.map((api) => api.remove()));

  async function cpu(): Promise<Record<string, number>> {
    const times = await Promise.all(apis.map(({ pid }) => cpuOfTree(pid)));
    return {
      api: times.reduce((sum, time) => sum + time, 0),
      mariadb: await cpuOfTree(mariadb.pid()),
      redis: await cpuOfTree(redis.pid()),
    };
  }
} finally {
  await log.close();
  await mariadb.stop();
  await redis.stop();
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
