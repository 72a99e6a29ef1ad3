import type { AuditLog, Change, Erasure, VisitorAssignments } from '@turnout/contracts/management';
import { visitorId } from '@turnout/router-core';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { hasRedis, startRedis } from '../../../../test/kit/redis-server.ts';
import type { RedisServer } from '../../../../test/kit/redis-server.ts';
import { openStores } from '../publication/open-stores.ts';
import { startApi } from '../testing/api-process.ts';
import { query, temporaryFolders } from '../testing/databases.ts';
import { experimentDocument } from '../testing/experiment-documents.ts';
import { TOKEN_ENVIRONMENT, manage } from '../testing/management-client.ts';
import type { ManagementProblem } from '../testing/management-client.ts';

const folders = temporaryFolders();
const ADA = visitorId('AdaAdaAdaAdaAdaAdaAdaA');
const OTHER = visitorId('OtherOtherOtherOtherOA');
const DAY = new Date().toISOString().slice(0, 10);

interface Options {
  readonly redisUrl?: string;
}

/** The API with one experiment, and the ledger that edges would write. */
async function start({ redisUrl }: Options) {
  const dataFolder = await folders.make();
  const url = await startApi({
    ...TOKEN_ENVIRONMENT,
    TURNOUT_DATA_DIR: dataFolder,
    TURNOUT_REDIS_URL: redisUrl,
  }).url;
  const stores = openStores(redisUrl, dataFolder);
  onTestFinished(() => stores.close());
  expect(await stores.ledger.ready(10_000)).toBe(true);
  const created = await manage<Change>(url, 'POST /experiments', {
    document: experimentDocument(),
    reason: 'begin',
  });
  expect(created.status).toBe(201);
  return { url, ledger: stores.ledger, dataFolder };
}

function describeLedger(name: string, options: () => Options): void {
  describe(`visitors in ${name}`, () => {
    test('are shown, reassigned and forgotten', async () => {
      const { url, ledger, dataFolder } = await start(options());
      await ledger.getOrSet(ADA, 'home', { variant: 'control', phase: 1, revision: 1 }, [
        'control',
        'A',
      ]);
      await ledger.getOrSet(OTHER, 'home', { variant: 'control', phase: 1, revision: 1 }, [
        'control',
        'A',
      ]);
      const shown = await manage<VisitorAssignments>(url, `GET /visitors/${ADA}`);
      expect(shown.body).toEqual({
        visitor: ADA,
        assignments: [{ experiment: 'home', variant: 'control', phase: 1, revision: 1 }],
      });

      const path = `PUT /visitors/${ADA}/assignments/home`;
      const moved = await manage<VisitorAssignments>(url, path, {
        variant: 'A',
        reason: 'support',
      });
      expect(moved.body.assignments).toEqual([
        { experiment: 'home', variant: 'A', phase: 1, revision: 1 },
      ]);
      const wrong = await manage<ManagementProblem>(url, path, { variant: 'B', reason: 'x' });
      expect([wrong.status, wrong.body.errors]).toEqual([
        422,
        [{ field: 'variant', message: 'no variant "B"; there are control, A' }],
      ]);

      await fetch(`${url}/api/sign-ups`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', 'X-Turnout-Visitor': ADA },
        body: JSON.stringify({ plan: 'soar', name: 'Ada', email: 'ada@example.org' }),
      });
      const forgotten = await manage<Erasure>(url, `DELETE /visitors/${ADA}`);
      expect(forgotten.body).toEqual({ visitor: ADA, erased: { assignments: 1, signUps: 1 } });
      expect(
        (await manage<VisitorAssignments>(url, `GET /visitors/${ADA}`)).body.assignments,
      ).toEqual([]);
      expect((await ledger.get(OTHER)).size).toBe(1);
      const again = await manage<Erasure>(url, `DELETE /visitors/${ADA}`);
      expect(again.body.erased).toEqual({ assignments: 0, signUps: 0 });

      // Nothing that is left names the visitor, and the audit still tells what was done.
      const location = { dataFolder, mysqlUrl: undefined };
      const left = await Promise.all(
        ['sign_ups', 'audit'].map((table) => query(location, `SELECT * FROM ${table}`)),
      );
      expect(JSON.stringify(left)).not.toContain(ADA);
      const { rows } = (await manage<AuditLog>(url, 'GET /audit?limit=3')).body;
      expect(rows.map(({ action, reason }) => [action, reason])).toEqual([
        ['visitor.forget', 'erasure'],
        ['visitor.forget', 'erasure'],
        ['visitor.reassign', 'home=A: support'],
      ]);
      expect(new Set(rows.map(({ subject }) => subject)).size).toBe(1);
    });

    test('who would move is estimated from those of the last 30 days', async () => {
      const { url, ledger } = await start(options());
      const visitors = Array.from({ length: 20 }, (_, index) =>
        visitorId(`${String.fromCharCode(65 + index)}isitorVisitorVisitorA`),
      );
      await ledger.visitors.add('home', 1, 'control', DAY, visitors);
      // Of before, and of another phase: neither counts.
      await ledger.visitors.add('home', 1, 'A', '2020-01-01', visitors);
      await ledger.visitors.add('home', 2, 'A', DAY, visitors);
      const { body } = await manage<Change>(url, 'POST /experiments/home/allocation', {
        weights: { control: 40, A: 60 },
        revision: 1,
        reason: 'x',
        meaning: 'move-fewest',
        dryRun: true,
      });
      expect(body.preview).toEqual({
        slotsMoved: 1000,
        moves: [{ from: 'control', to: 'A', share: 0.2, visitors: 4 }],
        counted: { visitors: 20, days: 30 },
      });
      const half = { ...experimentDocument(), coverage: 5000 };
      const replaced = await manage<Change>(url, 'PUT /experiments/home', {
        document: half,
        revision: 1,
        reason: 'x',
      });
      expect(replaced.body.preview.moves).toContainEqual({
        from: 'control',
        to: 'holdout',
        share: 0.5,
        visitors: 10,
      });
      // Half of the slots hold 20 visitors, so the holdout has as many.
      const wider = await manage<Change>(url, 'PUT /experiments/home', {
        document: experimentDocument(),
        revision: 2,
        reason: 'x',
        dryRun: true,
      });
      expect(wider.body.preview.moves).toContainEqual({
        from: 'holdout',
        to: 'A',
        share: 0.5,
        visitors: 10,
      });
    });
  });
}

describeLedger('the embedded ledger', () => ({}));

describe.runIf(hasRedis())('with Redis', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server.stop());

  describeLedger('Redis', () => ({ redisUrl: server.url }));

  test('a ledger that hangs is 503 for visitors, and leaves estimates out', async () => {
    const { url } = await start({ redisUrl: server.url });
    server.pause();
    onTestFinished(() => server.resume());
    const { status, headers, body } = await manage<ManagementProblem>(
      url,
      `DELETE /visitors/${ADA}`,
    );
    expect([status, headers.get('Retry-After')]).toEqual([503, '5']);
    expect(body.detail).toMatch(/ledger/);
    const change = await manage<Change>(url, 'POST /experiments/home/allocation', {
      weights: { control: 40, A: 60 },
      revision: 1,
      reason: 'x',
      meaning: 'move-fewest',
    });
    expect(change.status).toBe(200);
    expect(change.body.preview).toEqual({
      slotsMoved: 1000,
      moves: [{ from: 'control', to: 'A', share: 0.2, visitors: 0 }],
    });
    expect(change.body.published).toEqual({ revision: expect.any(Number) });
    server.resume();
    await expect
      .poll(async () => (await manage<Erasure>(url, `DELETE /visitors/${ADA}`)).status)
      .toBe(200);
  });
});
