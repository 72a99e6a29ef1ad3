import type { ExperimentResults } from '@turnout/contracts/results';
import { createConnection } from 'mysql2/promise';
import { startApi } from '../kit/api-process.ts';
import { startMariadb } from '../kit/mariadb-server.ts';
import { describeMachine } from './machine.ts';

// How long do the results of an experiment with many visitors take? `pnpm bench:results [EXPOSURES]`
//
// 1. Start mariadbd and the API, and fill the tables of visitors and of totals by SQL: EXPOSURES
//    visitors (10,000,000) over 60 days, 4 edges and 3 bot classes, a tenth of whom reported.
// 2. Check that the results have them all, then ask for them REQUESTS times, one after the other.
//
// The target is a median under 200 ms: reports are made from totals, however many visitors there
// are. What the tables take on the disk is told as well.

const EXPOSURES = Number(process.argv[2] ?? 10_000_000);
const REQUESTS = 50;
const TARGET = 200;
const PIECE = 500_000;

const mariadb = await startMariadb([
  '--innodb-buffer-pool-size=512M',
  '--innodb-log-file-size=512M',
]);
const api = await startApi(
  {
    public: { port: 0 },
    upstreams: { site: { url: 'http://127.0.0.1:1' } },
    default: 'site',
    experiments: [
      {
        key: 'large',
        status: 'running',
        variants: [
          { key: 'control', upstream: 'site', weight: 50, control: true },
          { key: 'A', upstream: 'site', weight: 25 },
          { key: 'B', upstream: 'site', weight: 25 },
        ],
        plan: { kind: 'hybrid', metric: 'signup', minimumLift: 0.05, baseline: 0.05 },
      },
    ],
  },
  { TURNOUT_MYSQL_URL: mariadb.url },
);
try {
  const connection = await createConnection(mariadb.url);
  const began = performance.now();
  for (let from = 0; from < EXPOSURES; from += PIECE) {
    const to = Math.min(EXPOSURES, from + PIECE);
    // Each of variant, edge, day and bot class comes in turn, so that every slice is split alike.
    await connection.query(
      `INSERT INTO experiment_visitors (experiment, phase, session_id, assigned, served, revision,
         request_id, bot, edge, first_seen, confirmed, seen_variant, in_two_variants)
       SELECT 'large', 1, LPAD(CONV(seq, 10, 36), 22, '0'), variant, variant, 1, UUID(),
         COALESCE(ELT(1 + seq DIV 960 % 20, 'search', 'ai'), 'none'), CONCAT('edge-', seq DIV 4 % 4),
         '2026-09-25' + INTERVAL (seq DIV 16 % 60) DAY, seq % 10 < 9, variant, 0
       FROM (SELECT seq, ELT(1 + seq % 4, 'control', 'control', 'A', 'B') AS variant
             FROM seq_${from}_to_${to - 1}) numbers`,
    );
  }
  await connection.query(
    `INSERT INTO exposure_totals (experiment, phase, variant, revision, day, bot, edge,
       exposed, fallback, confirmed, in_two_variants)
     SELECT experiment, phase, assigned, revision, DATE(first_seen), bot, edge,
       COUNT(*), 0, SUM(confirmed), 0
     FROM experiment_visitors GROUP BY experiment, phase, assigned, revision, DATE(first_seen), bot, edge`,
  );
  await connection.query(
    `INSERT INTO result_totals (experiment, phase, metric, variant, revision, day, bot, edge,
       reported, conversions, confirmed_conversions, value, value_squared)
     SELECT experiment, phase, 'signup', variant, revision, day, bot, edge, exposed DIV 10,
       exposed DIV 20, exposed DIV 25, 0, 0
     FROM exposure_totals`,
  );
  print(`filled in ${Math.round((performance.now() - began) / 1_000)} s`);
  const [tables] = await connection.query(
    `SELECT table_name AS name, table_rows AS estimated_rows,
       ROUND((data_length + index_length) / 1048576) AS mb
     FROM information_schema.tables WHERE table_schema = DATABASE() AND table_rows > 100`,
  );
  print(JSON.stringify(tables));
  await connection.end();

  const ask = async (): Promise<ExperimentResults> => {
    const response = await fetch(`${api.url}/v1/experiments/large/results`, {
      headers: { authorization: `Bearer ${api.adminToken}` },
    });
    if (!response.ok) throw new Error(await response.text());
    return JSON.parse(await response.text());
  };
  const { counts } = await ask();
  const counted = counts.bots + counts.variants.reduce((sum, { exposed }) => sum + exposed, 0);
  if (counted !== EXPOSURES) throw new Error(`Expected ${EXPOSURES} exposures, got ${counted}`);

  const times: number[] = [];
  for (let request = 0; request < REQUESTS; request += 1) {
    const start = performance.now();
    await ask();
    times.push(performance.now() - start);
  }
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number): number => Math.round(sorted[Math.floor(share * REQUESTS)] ?? 0);
  print(JSON.stringify(describeMachine(new Date())));
  print(JSON.stringify({ exposures: EXPOSURES, p50: at(0.5), p95: at(0.95), target: TARGET }));
  if (at(0.5) > TARGET) process.exitCode = 1;
} finally {
  await api.remove();
  await mariadb.stop();
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
