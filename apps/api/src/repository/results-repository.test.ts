import type { TrackingEvent } from '@turnout/contracts/event';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { createConnection } from 'mysql2/promise';
import type { RowDataPacket } from 'mysql2/promise';
import { expect, onTestFinished, test } from 'vitest';
import { designOf } from '../results/look.ts';
import type { Look } from '../results/look.ts';
import { describeDatabases } from '../testing/databases.ts';
import { NOON, exposure, idOf, testResult, visitorOf } from '../testing/events.ts';
import { experimentDocument } from '../testing/experiment-documents.ts';
import { openRepository } from './open-repository.ts';
import type { RepositoryLocation } from './open-repository.ts';
import { createResultsRepository } from './results-repository.ts';
import type { SqlValue } from './sql-database.ts';

async function open(location: RepositoryLocation) {
  const repository = await openRepository(location, {
    limit: 0,
    clock: () => 0,
    pause: async () => undefined,
    onRetry: () => undefined,
  });
  onTestFinished(() => repository.close());
  return repository;
}

/** So many visitors, all of whom convert. */
function converted(from: number, to: number): TrackingEvent[] {
  return Array.from({ length: to - from }, (_, index): TrackingEvent[] => {
    const own = { visitor: visitorOf(from + index), at: NOON + index };
    return [
      exposure({ ...own, eventId: idOf(from + index), requestId: idOf(from + index) }),
      testResult({ ...own, eventId: idOf(100_000 + from + index) }),
    ];
  }).flat();
}

const KEY = { experiment: 'home', phase: 1, metric: 'signup', population: 'raw' } as const;

function lookAt(sampleRatioP: number): Look {
  return {
    design: designOf(experimentDocument(), 'signup'),
    carry: { sampleRatioP, comparisons: [] },
  };
}

interface Asked {
  readonly sql: string;
  readonly values: readonly SqlValue[];
}

async function never(): Promise<never> {
  throw new Error('expected reads only');
}

/** Every statement that the counts of a phase are read by. */
async function statementsOfCounts(): Promise<Asked[]> {
  const statements: Asked[] = [];
  const results = createResultsRepository({
    async rows(sql, values = []) {
      statements.push({ sql, values });
      return [];
    },
    transact: never,
    run: never,
  });
  await results.counts('home', 1, 'signup');
  await results.metrics('home', 1);
  return statements;
}

/** How the database reads each table of a statement, as it says itself. */
async function planOf(location: RepositoryLocation, { sql, values }: Asked): Promise<string[]> {
  const inputs = values.map((value) => (value instanceof Date ? value.toISOString() : value));
  if (location.mysqlUrl === undefined) {
    const database = new DatabaseSync(join(location.dataFolder, 'product.sqlite'));
    try {
      const steps = database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...inputs);
      const details = steps.map(({ detail }) => String(detail));
      return details.filter((detail) => detail.includes('_'));
    } finally {
      database.close();
    }
  }
  const connection = await createConnection(location.mysqlUrl);
  try {
    const [rows] = await connection.query<RowDataPacket[]>(`EXPLAIN ${sql}`, inputs);
    return rows
      .filter(({ table }) => typeof table === 'string' && !table.startsWith('<'))
      .map((row) => [row['type'], row['table'], row['key'], row['Extra']].join(' '));
  } finally {
    await connection.end();
  }
}

/** Of visitors only the index is read, from one of its ends. */
const BY_INDEX = {
  SQLite:
    /^SEARCH (\w+_totals USING (PRIMARY KEY|INDEX)|experiment_visitors USING COVERING INDEX .*first_seen>\?)/,
  MariaDB:
    /^(ref|range) (\w+_totals PRIMARY|experiment_visitors experiment_visitors_first_seen .*Using index)/,
};

describeDatabases('results repository', (kind) => {
  test('no conversion is read without its visitor, however much is stored meanwhile', async () => {
    const location = await kind.fresh();
    const { tracking } = await open(location);
    const { results } = await open(location);
    await tracking.store(converted(0, 1));
    const storing = new AbortController();
    const reading = (async () => {
      while (!storing.signal.aborted) {
        const { slices } = await results.counts('home', 1, 'signup');
        for (const { exposed, conversions } of slices) expect(conversions).toBe(exposed);
        // A turn of the event loop, which SQLite does not take by itself.
        await new Promise((done) => setImmediate(done));
      }
    })();
    for (let at = 1; at < 300; at += 1) await tracking.store(converted(at, at + 1));
    storing.abort();
    await reading;
    const { slices } = await results.counts('home', 1, 'signup');
    expect(slices.find(({ by }) => by === 'bot')).toMatchObject({ exposed: 300, conversions: 300 });
  });

  test('of first looks taken at once one is kept', async () => {
    const location = await kind.fresh();
    const repositories = await Promise.all(Array.from({ length: 3 }, () => open(location)));
    for (let round = 1; round <= 10; round += 1) {
      const kept = await Promise.all(
        repositories.flatMap(({ results }, index) =>
          [0, 1].map((half) =>
            results.saveLook({ ...KEY, phase: round }, lookAt((index + half / 2) / 10), 0),
          ),
        ),
      );
      expect(kept.filter(Boolean)).toHaveLength(1);
    }
  });

  test('reports are read by index, and no row of a visitor but the first and the last', async () => {
    const location = await kind.fresh();
    const { tracking } = await open(location);
    await tracking.store(converted(0, 300));
    await tracking.store(converted(0, 20).map((event) => ({ ...event, experiment: 'other' })));
    const statements = await statementsOfCounts();
    expect(statements).toHaveLength(3);
    for (const statement of statements) {
      const steps = await planOf(location, statement);
      expect(steps).not.toEqual([]);
      for (const step of steps) expect(step).toMatch(BY_INDEX[kind.name]);
    }
  });
});
