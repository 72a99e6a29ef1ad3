import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasRedis, startRedis } from '../../../test/kit/redis-server.ts';
import type { RedisServer, RedisServerOptions } from '../../../test/kit/redis-server.ts';
import { createEmbeddedStore } from './embedded/index.ts';
import { createRedisStore } from './redis/index.ts';
import type { Ledger, StoredAssignment } from './store.ts';
import { visitorId } from './visitor-cookie.ts';
import type { VisitorId } from './visitor-cookie.ts';

/**
 * The contract of AssignmentStore and VisitorCounter, run against every implementation.
 * "Two stores" are two connections, as two workers have them.
 */

interface Backend {
  /** Opens another store on the same data. */
  open(ttl: number): Ledger;
  /** The same as the source of a module, for another process. */
  openSource(ttl: number): string;
  stop(): Promise<void>;
}

const DAY = 86_400_000;
const VARIANTS = ['control', 'A', 'B'];
const TODAY = '2026-11-23';
const sourceOf = (path: string): string => JSON.stringify(new URL(path, import.meta.url).href);

async function startEmbedded(): Promise<Backend> {
  const folder = mkdtempSync(join(tmpdir(), 'turnout-ledger-'));
  const file = join(folder, 'data', 'ledger.db');
  return {
    open: (ttl) => createEmbeddedStore({ file, ttl }),
    openSource: (ttl) =>
      `import { createEmbeddedStore } from ${sourceOf('./embedded/index.ts')};
       const store = createEmbeddedStore(${JSON.stringify({ file, ttl })});`,
    stop: async () => rmSync(folder, { recursive: true }),
  };
}

async function startRedisBackend(options: RedisServerOptions): Promise<Backend> {
  const server: RedisServer = await startRedis(options);
  const { url } = server;
  return {
    open: (ttl) => createRedisStore({ url, ttl }),
    openSource: (ttl) =>
      `import { createRedisStore } from ${sourceOf('./redis/index.ts')};
       const store = createRedisStore(${JSON.stringify({ url, ttl })});`,
    stop: () => server.stop(),
  };
}

const redisIsHere = hasRedis();
const backends = [
  { name: 'node:sqlite', isHere: true, start: startEmbedded },
  { name: 'redis-server', isHere: redisIsHere, start: () => startRedisBackend({}) },
  {
    name: 'Redis Cluster',
    isHere: redisIsHere,
    start: () => startRedisBackend({ cluster: true }),
  },
];

function newVisitor(): VisitorId {
  return visitorId(randomBytes(16).toString('base64url'));
}

function propose(variant: string, phase = 1, revision = 1): StoredAssignment {
  return { variant, phase, revision };
}

for (const { name, isHere, start } of backends) {
  describe.skipIf(!isHere)(`${name}${isHere ? '' : ' (left out: no redis-server in PATH)'}`, () => {
    let backend: Backend;
    let store: Ledger;
    let other: Ledger;

    beforeAll(async () => {
      backend = await start();
      store = backend.open(DAY);
      other = backend.open(DAY);
      await Promise.all([store.ready(10_000), other.ready(10_000)]);
    }, 30_000);
    afterAll(async () => {
      await Promise.all([store?.close(), other?.close()]);
      await backend?.stop();
    });

    test('writes the first proposal and keeps it', async () => {
      const visitor = newVisitor();
      const first = await store.getOrSet(visitor, 'home', propose('A', 1, 7), VARIANTS);
      expect(first).toEqual({ variant: 'A', phase: 1, revision: 7, written: true });
      const again = await other.getOrSet(visitor, 'home', propose('B', 1, 8), VARIANTS);
      expect(again).toEqual({ variant: 'A', phase: 1, revision: 7, written: false });
    });

    test('knows all assignments of a visitor and none of another', async () => {
      const visitor = newVisitor();
      await store.getOrSet(visitor, 'home', propose('A', 2, 3), VARIANTS);
      await store.getOrSet(visitor, 'price-1', propose('b_2-C', 1, 9), ['b_2-C']);
      expect(Object.fromEntries(await other.get(visitor))).toEqual({
        home: { variant: 'A', phase: 2, revision: 3 },
        'price-1': { variant: 'b_2-C', phase: 1, revision: 9 },
      });
      expect(await store.get(newVisitor())).toEqual(new Map());
    });

    test('agrees among 50 first requests at once, over two stores', async () => {
      const visitor = newVisitor();
      const entries = await Promise.all(
        Array.from({ length: 50 }, (_, index) =>
          (index % 2 === 0 ? store : other).getOrSet(
            visitor,
            'home',
            propose(index % 3 === 0 ? 'A' : 'B', 1, index + 1),
            VARIANTS,
          ),
        ),
      );
      expect(entries.filter(({ written }) => written)).toHaveLength(1);
      expect(new Set(entries.map(({ variant, revision }) => `${variant}:${revision}`)).size).toBe(
        1,
      );
    });

    test('agrees among processes', async () => {
      const visitors = Array.from({ length: 20 }, newVisitor);
      const run = promisify(execFile);
      const ask = async (variant: string): Promise<string[]> => {
        const { stdout } = await run(process.execPath, [
          '--input-type=module-typescript',
          '--eval',
          `${backend.openSource(DAY)}
           await store.ready(10_000);
           const answers = await Promise.all(${JSON.stringify(visitors)}.map((visitor: any) =>
             store.getOrSet(visitor, 'home', { variant: '${variant}', phase: 1, revision: 1 }, ${JSON.stringify(VARIANTS)})));
           console.log(answers.map(({ variant }) => variant).join());
           await store.close();`,
        ]);
        return stdout.trim().split(',');
      };
      const [a, b, c] = await Promise.all([ask('A'), ask('B'), ask('control')]);
      expect(a).toHaveLength(visitors.length);
      expect(b).toEqual(a);
      expect(c).toEqual(a);
    });

    test('replaces an older phase, and keeps a newer one', async () => {
      const visitor = newVisitor();
      await store.getOrSet(visitor, 'home', propose('A', 1), VARIANTS);
      const next = await store.getOrSet(visitor, 'home', propose('B', 2, 4), VARIANTS);
      expect(next).toEqual({ variant: 'B', phase: 2, revision: 4, written: true });
      const lagging = await other.getOrSet(visitor, 'home', propose('A', 1), VARIANTS);
      expect(lagging).toEqual({ variant: 'B', phase: 2, revision: 4, written: false });
    });

    test('compares phases as numbers', async () => {
      const visitor = newVisitor();
      await store.getOrSet(visitor, 'home', propose('A', 10), VARIANTS);
      const entry = await store.getOrSet(visitor, 'home', propose('B', 9), VARIANTS);
      expect(entry).toMatchObject({ variant: 'A', phase: 10 });
    });

    test('replaces a variant that no longer exists', async () => {
      const visitor = newVisitor();
      await store.getOrSet(visitor, 'home', propose('AB'), ['AB', 'B']);
      // "A" and "B" are parts of "AB", and must not be taken for it.
      const entry = await store.getOrSet(visitor, 'home', propose('B', 1, 2), ['A', 'B']);
      expect(entry).toEqual({ variant: 'B', phase: 1, revision: 2, written: true });
    });

    test('set writes over whatever is there, and starts the time to live anew', async () => {
      const visitor = newVisitor();
      await store.set(visitor, 'home', propose('A', 1, 7));
      expect(Object.fromEntries(await other.get(visitor))).toEqual({ home: propose('A', 1, 7) });
      await other.getOrSet(visitor, 'home', propose('B', 2, 8), VARIANTS);
      await store.set(visitor, 'home', propose('control', 1, 9));
      expect((await other.get(visitor)).get('home')).toEqual(propose('control', 1, 9));
      const entry = await other.getOrSet(visitor, 'home', propose('B'), VARIANTS);
      expect(entry).toEqual({ ...propose('control', 1, 9), written: false });

      const brief = backend.open(1_000);
      await brief.ready(10_000);
      const passing = newVisitor();
      await brief.set(passing, 'home', propose('A'));
      await expect.poll(async () => (await brief.get(passing)).size, { timeout: 10_000 }).toBe(0);
      await brief.close();
    });

    test('forget erases a visitor, says how many assignments are gone, and leaves others', async () => {
      const [visitor, neighbour] = [newVisitor(), newVisitor()];
      for (const id of [visitor, neighbour]) {
        await store.getOrSet(id, 'home', propose('A'), VARIANTS);
        await store.getOrSet(id, 'price', propose('B'), VARIANTS);
      }
      expect(await other.forget(visitor)).toBe(2);
      expect((await store.get(visitor)).size).toBe(0);
      expect((await store.get(neighbour)).size).toBe(2);
      expect(await store.forget(visitor)).toBe(0);
      const anew = await store.getOrSet(visitor, 'home', propose('B'), VARIANTS);
      expect(anew).toMatchObject({ variant: 'B', written: true });
    });

    test('tells every store and process of visitors that were set or forgotten', async () => {
      const own: VisitorId[] = [];
      const foreign: VisitorId[] = [];
      const watches = [
        store.onChanged((visitor) => own.push(visitor)),
        other.onChanged((visitor) => foreign.push(visitor)),
      ];
      const left = store.onChanged(() => expect.unreachable('was closed'));
      left.close();
      left.close();
      const run = promisify(execFile);
      const elsewhere = run(process.execPath, [
        '--input-type=module-typescript',
        '--eval',
        `${backend.openSource(DAY)}
         const { visitor } = await new Promise<{ visitor: string }>((resolve) => {
           store.onChanged((visitor) => resolve({ visitor }));
         });
         console.log(visitor);
         await store.close();`,
      ]);
      const visitors: VisitorId[] = [];
      const state = { isHeard: false };
      void elsewhere.finally(() => {
        state.isHeard = true;
      });
      // Over and over, as nothing is told of what happened before a store listened.
      while (!state.isHeard) {
        const visitor = newVisitor();
        visitors.push(visitor);
        await (visitors.length % 2 === 0
          ? store.forget(visitor)
          : other.set(visitor, 'home', propose('A')));
        await Promise.race([elsewhere, new Promise((resolve) => setTimeout(resolve, 50))]);
      }
      expect(visitors).toContain((await elsewhere).stdout.trim());
      // Until both have heard the latest: a push is lost with the connection that it was on.
      await expect
        .poll(
          async () => {
            const visitor = newVisitor();
            visitors.push(visitor);
            await store.set(visitor, 'home', propose('A'));
            await new Promise((resolve) => setTimeout(resolve, 300));
            return [own.at(-1), foreign.at(-1)].every((heard) => heard === visitor);
          },
          { timeout: 30_000 },
        )
        .toBe(true);
      // In order, and nobody else.
      for (const heard of [own, foreign]) {
        expect(heard).toEqual(visitors.filter((visitor) => heard.includes(visitor)));
      }
      for (const watch of watches) watch.close();
      // What every request writes is told to nobody.
      await store.set(newVisitor(), 'home', propose('A'));
      expect(own.at(-1)).toBe(visitors.at(-1));
    }, 90_000);

    test('replaces what a move leads away, if an older revision assigned it', async () => {
      const visitor = newVisitor();
      const departures = [
        { variant: 'x-B', before: 99 },
        { variant: 'A', before: 10 },
        { variant: 'B', before: 7 },
      ];
      await store.getOrSet(visitor, 'home', propose('A', 1, 9), VARIANTS);
      const untouched = await store.getOrSet(visitor, 'home', propose('B', 1, 10), VARIANTS, [
        { variant: 'control', before: 10 },
        { variant: 'AA', before: 10 },
      ]);
      expect(untouched).toEqual({ variant: 'A', phase: 1, revision: 9, written: false });
      // Numbers, not texts: 9 is older than 10.
      const moved = await other.getOrSet(
        visitor,
        'home',
        propose('B', 1, 10),
        VARIANTS,
        departures,
      );
      expect(moved).toEqual({ variant: 'B', phase: 1, revision: 10, written: true });
      const lagging = await store.getOrSet(
        visitor,
        'home',
        propose('control', 1, 7),
        VARIANTS,
        departures,
      );
      expect(lagging).toEqual({ variant: 'B', phase: 1, revision: 10, written: false });
    });

    test('moves a visitor once, whoever asks first', async () => {
      const visitor = newVisitor();
      await store.getOrSet(visitor, 'home', propose('A', 1, 1), VARIANTS);
      const entries = await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          (index % 2 === 0 ? store : other).getOrSet(
            visitor,
            'home',
            propose(index % 3 === 0 ? 'B' : 'control', 1, 2),
            VARIANTS,
            [{ variant: 'A', before: 2 }],
          ),
        ),
      );
      expect(entries.filter(({ written }) => written)).toHaveLength(1);
      expect(new Set(entries.map(({ variant }) => variant)).size).toBe(1);
    });

    test('lets the time to live slide, for all of a visitor at once', async () => {
      const ttl = 1_000;
      const brief = backend.open(ttl);
      await brief.ready(10_000);
      const visitor = newVisitor();
      const began = performance.now();
      await brief.getOrSet(visitor, 'home', propose('A'), VARIANTS);
      await brief.getOrSet(visitor, 'price', propose('B'), VARIANTS);
      // Requests keep coming until well after the first time to live is over.
      while (performance.now() - began < 2 * ttl) {
        const entry = await brief.getOrSet(visitor, 'home', propose('B'), VARIANTS);
        expect(entry).toMatchObject({ variant: 'A', written: false });
        await new Promise((resolve) => {
          setTimeout(resolve, ttl / 10);
        });
      }
      expect((await brief.get(visitor)).size).toBe(2);
      await expect.poll(async () => (await brief.get(visitor)).size, { timeout: 10_000 }).toBe(0);
      const anew = await brief.getOrSet(visitor, 'home', propose('B'), VARIANTS);
      expect(anew).toMatchObject({ variant: 'B', written: true });
      await brief.close();
    });

    test('survives the process that wrote', async () => {
      const visitor = newVisitor();
      const brief = backend.open(DAY);
      await brief.ready(10_000);
      // Not awaited: closing finishes what was begun.
      const written = brief.getOrSet(visitor, 'home', propose('A'), VARIANTS);
      await brief.close();
      expect(await written).toMatchObject({ written: true });
      expect((await store.get(visitor)).get('home')).toEqual(propose('A'));
      await brief.close();
    });

    test('rejects, and only that, once closed', async () => {
      const closed = backend.open(DAY);
      await closed.ready(10_000);
      await closed.close();
      const visitor = newVisitor();
      await expect(closed.getOrSet(visitor, 'home', propose('A'), VARIANTS)).rejects.toThrow(/./);
      await expect(closed.get(visitor)).rejects.toThrow(/./);
    });

    test('counts a visitor once per experiment, phase, variant and day', async () => {
      const ids = Array.from({ length: 200 }, newVisitor);
      await store.visitors.add('home', 1, 'A', TODAY, ids);
      await other.visitors.add('home', 1, 'A', TODAY, ids.slice(0, 150));
      await other.visitors.add('home', 1, 'A', TODAY, []);
      const count = await other.visitors.count('home', 1, 'A', TODAY);
      expect(Math.abs(count - ids.length)).toBeLessThanOrEqual(ids.length * 0.03);
      await store.visitors.add('home', 1, 'B', TODAY, ids.slice(0, 2));
      expect(await store.visitors.count('home', 1, 'B', TODAY)).toBe(2);
      expect(await store.visitors.count('home', 2, 'A', TODAY)).toBe(0);
      expect(await store.visitors.count('home', 1, 'A', '2026-11-24')).toBe(0);
    });

    test('counts as many visitors as an outage leaves waiting, while requests go on', async () => {
      const ids = Array.from({ length: 200_001 }, newVisitor);
      const state = { isAdding: true };
      const adding = store.visitors.add('crowd', 1, 'A', TODAY, ids).finally(() => {
        state.isAdding = false;
      });
      let answers = 0;
      while (state.isAdding) {
        await store.getOrSet(newVisitor(), 'home', propose('A'), VARIANTS);
        answers += 1;
      }
      await adding;
      // Between any two of the hundreds of pieces somebody else had a turn.
      expect(answers).toBeGreaterThan(100);
      const count = await other.visitors.count('crowd', 1, 'A', TODAY);
      // Six standard errors of HyperLogLog (0.81 %): a single crowd may be an unlucky one.
      expect(Math.abs(count - ids.length)).toBeLessThanOrEqual(ids.length * 0.05);
    }, 120_000);

    test('finishes a crowd that it was counting when it is closed', async () => {
      const brief = backend.open(DAY);
      await brief.ready(10_000);
      const ids = Array.from({ length: 3_001 }, newVisitor);
      const adding = brief.visitors.add('leaving', 1, 'A', TODAY, ids);
      await brief.close();
      await adding;
      const count = await store.visitors.count('leaving', 1, 'A', TODAY);
      expect(Math.abs(count - ids.length)).toBeLessThanOrEqual(ids.length * 0.03);
    });

    test('counts over several days who came on any of them, once', async () => {
      const ids = Array.from({ length: 200 }, newVisitor);
      const days = ['2026-11-20', '2026-11-21', '2026-11-22'];
      await store.visitors.add('over', 1, 'A', '2026-11-20', ids.slice(0, 120));
      await store.visitors.add('over', 1, 'A', '2026-11-21', ids.slice(80));
      await store.visitors.add('over', 1, 'B', '2026-11-22', [newVisitor()]);
      await store.visitors.add('over', 2, 'A', '2026-11-22', [newVisitor()]);
      const { visitors } = other;
      const all = await visitors.countOver('over', 1, 'A', days);
      expect(Math.abs(all - 200)).toBeLessThanOrEqual(200 * 0.03);
      const first = await visitors.countOver('over', 1, 'A', days.slice(0, 1));
      expect(Math.abs(first - 120)).toBeLessThanOrEqual(120 * 0.03);
      expect(await visitors.countOver('over', 1, 'A', ['2026-11-22'])).toBe(0);
      expect(await visitors.countOver('over', 1, 'A', [])).toBe(0);
      await expect(visitors.countOver('over', 1, 'A', ['2026-11-20', 'yesterday'])).rejects.toThrow(
        'Expected a day as YYYY-MM-DD, got "yesterday"',
      );
    });

    test('refuses a day that is none', async () => {
      await expect(store.visitors.count('home', 1, 'A', '23.11.2026')).rejects.toThrow(
        'Expected a day as YYYY-MM-DD, got "23.11.2026"',
      );
      await expect(store.visitors.add('home', 1, 'A', 'today', [])).rejects.toThrow('YYYY-MM-DD');
    });
  });
}
