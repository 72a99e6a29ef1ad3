import type { Change, Erasure, ExperimentRecord } from '@turnout/contracts/management';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startApi, type ApiProcess } from '../kit/api-process.ts';
import { runTurnout, startEdge, type EdgeProcess } from '../kit/edge-process.ts';
import { startLightUpstreams, type LightUpstreams } from '../kit/light-upstreams.ts';
import { hasMariadb, startMariadb, type MariadbServer } from '../kit/mariadb-server.ts';
import { metricValue } from '../kit/metrics.ts';
import { hasRedis, startRedis, type RedisServer } from '../kit/redis-server.ts';
import { createCrowd, newVisitors, type Crowd, type TestVisitor } from '../kit/visitors.ts';

/**
 * The whole way of a change: the command line, the API on MariaDB, Redis, and two edges with
 * two workers each.
 */

const isPossible = hasRedis() && hasMariadb();
const SECRET = 'a-secret-of-this-test-alone';
const PAGES: Readonly<Record<string, string>> = { control: 'shop', A: 'one', B: 'two' };

describe.runIf(isPossible)('a change', () => {
  let upstreams: LightUpstreams;
  let redis: RedisServer;
  let mariadb: MariadbServer;
  let api: ApiProcess;
  let edges: readonly EdgeProcess[] = [];
  let crowds: readonly Crowd[] = [];
  let config: Readonly<Record<string, unknown>>;
  let env: Readonly<Record<string, string>>;
  const visitors = newVisitors(400);

  beforeAll(async () => {
    upstreams = await startLightUpstreams(Object.values(PAGES));
    [redis, mariadb] = await Promise.all([startRedis(), startMariadb()]);
    config = {
      upstreams: upstreams.config,
      default: 'shop',
      // What is under test is who gets what, not how fast a busy machine lets Redis speak.
      ledgerWait: '5s',
      experiments: [
        {
          key: 'home',
          status: 'running',
          variants: [
            { key: 'control', upstream: 'shop', weight: 50, control: true },
            { key: 'A', upstream: 'one', weight: 20 },
            { key: 'B', upstream: 'two', weight: 30 },
          ],
        },
      ],
    };
    env = {
      TURNOUT_REDIS_URL: redis.url,
      TURNOUT_MYSQL_URL: await mariadb.createDatabase(),
      TURNOUT_COOKIE_SECRETS: SECRET,
    };
    api = await startApi(config, env);
    edges = await Promise.all([startEdge({ config, env }), startEdge({ config, env })]);
    crowds = edges.map((edge) => createCrowd(edge.url, 8));
  });
  afterAll(async () => {
    await Promise.all(crowds.map((crowd) => crowd.close()));
    await Promise.all(edges.map((edge) => edge.remove()));
    await api?.remove();
    await Promise.all([redis?.stop(), mariadb?.stop(), upstreams?.close()]);
  });

  /** Until every worker of both edges decides by the snapshot. */
  async function reach(revision: number): Promise<void> {
    for (const edge of edges) {
      await expect
        .poll(async () => metricValue(await edge.metrics(), 'turnout_snapshot_revision'))
        .toBe(revision);
    }
  }

  /** Lets every visitor open a page at each edge; tells what each was served before and now. */
  async function visit(tell: (visitor: TestVisitor, page: string) => void): Promise<void> {
    for (const crowd of crowds) {
      await crowd.each(visitors, async (visitor) => {
        const before = visitor.served;
        const page = await crowd.visit(visitor);
        visitor.served = before;
        tell(visitor, page);
      });
    }
  }

  async function turnout<Answer>(...args: readonly string[]): Promise<Answer> {
    const { code, stdout, stderr } = await runTurnout([...args, '--json'], {}, { cwd: api.folder });
    expect([args, code, code === 0 ? '' : stderr]).toEqual([args, 0, '']);
    return JSON.parse(stdout);
  }

  test('moves as few as it said, the same on every edge, and once', async () => {
    await reach(1);
    await visit((visitor, page) => {
      visitor.served = page;
    });
    // Who was seen is handed to the ledger once a second; a preview counts them there.
    await expect
      .poll(async () => metricValue((await edges[0]?.metrics()) ?? '', 'turnout_unique_visitors'))
      .toBeGreaterThan(visitors.length * 0.97);
    const allocate = ['allocate', 'home', 'control=30', 'A=40', 'B=30', '--reason', 'a test'];
    const foreseen = await turnout<Change>(...allocate, '--meaning', 'move-fewest', '--dry-run');
    expect(foreseen.preview).toMatchObject({
      slotsMoved: 2_000,
      moves: [{ from: 'control', to: 'A', share: expect.closeTo(0.4, 10) }],
    });
    expect((await turnout<ExperimentRecord>('get', 'home')).revision).toBe(1);
    await turnout<Change>(...allocate, '--meaning', 'move-fewest', '--yes');
    await reach(2);
    const moved = new Set<TestVisitor>();
    const seen = new Map<TestVisitor, string>();
    await visit((visitor, page) => {
      expect(seen.get(visitor) ?? page).toBe(page);
      seen.set(visitor, page);
      if (page === visitor.served) return;
      expect([visitor.served, page]).toEqual(['shop', 'one']);
      moved.add(visitor);
    });
    const ofControl = visitors.filter(({ served }) => served === 'shop').length;
    // Two in five of them, within five standard deviations.
    expect(Math.abs(moved.size - ofControl * 0.4)).toBeLessThan(5 * Math.sqrt(ofControl * 0.24));
    const estimate = foreseen.preview.moves[0]?.visitors ?? 0;
    expect(Math.abs(estimate - ofControl * 0.4)).toBeLessThan(ofControl * 0.05);
    for (const [visitor, page] of seen) visitor.served = page;
  });

  test('for new visitors moves nobody', async () => {
    await turnout<Change>(
      'allocate',
      'home',
      'control=0',
      'A=0',
      'B=100',
      '--reason',
      'x',
      '--yes',
    );
    await reach(3);
    await visit((visitor, page) => expect(page).toBe(visitor.served));
    const [fresh] = newVisitors(1);
    expect(await crowds[0]?.visit(fresh ?? { cookie: undefined, served: '' })).toBe('two');
  });

  test('of status holds through a crash of the API, and is taken back', async () => {
    await turnout<Change>('kill', 'home', '--yes');
    await api.kill();
    await reach(4);
    await visit((_visitor, page) => expect(page).toBe('shop'));
    api = await startApi(config, env, api);
    expect((await turnout<ExperimentRecord>('get', 'home')).document.status).toBe('killed');
    await visit((_visitor, page) => expect(page).toBe('shop'));
    await turnout<Change>('revert', 'home', '--reason', 'mended', '--yes');
    await reach(5);
    await visit((visitor, page) => expect(page).toBe(visitor.served));
  });

  test('of one visitor by hand counts on both edges; erased, the cookie is all there is', async () => {
    const visitor = visitors.find(({ served }) => served === 'shop');
    const id = visitor?.cookie?.split('.')[1] ?? '';
    const cookie = visitor?.cookie;
    const page = async () =>
      Promise.all(crowds.map((crowd) => crowd.visit({ cookie, served: '' })));
    await turnout<unknown>('reassign', id, 'home', 'B', '--reason', 'a tester', '--yes');
    await expect.poll(page).toEqual(['two', 'two']);
    const { erased } = await turnout<Erasure>('forget', id, '--yes');
    expect(erased['assignments']).toBe(1);
    await expect.poll(page).toEqual(['shop', 'shop']);
  });
});
