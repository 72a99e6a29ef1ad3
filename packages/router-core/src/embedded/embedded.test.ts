import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createVisitorCookie, visitorId } from '../visitor-cookie.ts';
import { createEmbeddedSnapshotStore, createEmbeddedStore } from './index.ts';
import { openDatabase } from './open.ts';

/** What the shared contract does not see: the file, its lock, and what is cleared away. */

const DAY = 86_400_000;
const ID = visitorId('AAECAwQFBgcICQoLDA0ODw');
const proposal = { variant: 'A', phase: 1, revision: 1 };
let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'turnout-embedded-'));
  file = join(folder, 'ledger.db');
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

function countRows(table: string): number {
  const database = new DatabaseSync(file, { readOnly: true });
  const row = database.prepare(`SELECT count(*) AS rows FROM ${table}`).get();
  database.close();
  return Number(row?.['rows']);
}

/** Takes the write lock in another process; resolves with a wait for its end. */
async function holdLock(milliseconds: number): Promise<() => Promise<void>> {
  const child = spawn(
    process.execPath,
    [
      '--eval',
      `const { DatabaseSync } = require('node:sqlite');
       const database = new DatabaseSync(${JSON.stringify(file)});
       database.exec('BEGIN IMMEDIATE');
       console.log('held');
       setTimeout(() => database.exec('COMMIT'), ${milliseconds});`,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  await once(child.stdout, 'data');
  return async () => {
    if (child.exitCode === null) await once(child, 'exit');
  };
}

describe('the file', () => {
  test('in a place that cannot be written is refused, with the way out', () => {
    writeFileSync(join(folder, 'taken'), '');
    mkdirSync(join(folder, 'read-only'), { mode: 0o555 });
    const places = [
      join(folder, 'taken', 'ledger.db'),
      folder,
      // Root writes where it must not: only the kernel's own file system stops it.
      process.getuid?.() === 0 ? '/sys/turnout/ledger.db' : join(folder, 'read-only', 'ledger.db'),
    ];
    for (const place of places) {
      expect(() => createEmbeddedStore({ file: place, ttl: DAY })).toThrow(
        new RegExp(`^Can't open the ledger ${place}: .*Make its folder writable for this user`),
      );
    }
  });

  test('that is no database is refused and left alone', () => {
    writeFileSync(file, 'not a database, but somebody cares for it'.repeat(100));
    expect(() => createEmbeddedStore({ file, ttl: DAY })).toThrow(
      `${file} is damaged: file is not a database. Restore it from a backup, or move it away`,
    );
    expect(readFileSync(file, 'utf8')).toMatch(/^not a database, but/);
  });

  test('that is damaged behind its head is refused', async () => {
    const store = createEmbeddedStore({ file, ttl: DAY });
    await store.close();
    const bytes = readFileSync(file);
    // The first page holds the schema, behind the 100 bytes of the head.
    writeFileSync(file, bytes.fill(0xa5, 100));
    expect(() => createEmbeddedStore({ file, ttl: DAY })).toThrow(
      `${file} is damaged: database disk image is malformed. Restore it from a backup`,
    );
  });

  test('of another program is refused', () => {
    const database = new DatabaseSync(file);
    database.exec('CREATE TABLE sign_up (name TEXT); PRAGMA user_version = 1');
    database.close();
    expect(() => createEmbeddedStore({ file, ttl: DAY })).toThrow(
      `${file} is no ledger: no such table: assignment. Name another data folder`,
    );
  });

  test('of a newer version is refused', () => {
    const database = new DatabaseSync(file);
    database.exec('PRAGMA user_version = 99');
    database.close();
    expect(() => createEmbeddedStore({ file, ttl: DAY })).toThrow(
      `${file} can't be used: it was made by a newer version (schema 99, not 2). Start that version again`,
    );
  });

  test('that another program keeps locked is refused', async () => {
    const store = createEmbeddedStore({ file, ttl: DAY });
    const released = await holdLock(7_000);
    expect(() => createEmbeddedStore({ file, ttl: DAY })).toThrow(
      `${file} is locked by another program for more than 5 s. End that program`,
    );
    await released();
    await store.close();
  });

  test('that another process makes at this moment is waited for', async () => {
    const released = await holdLock(300);
    const store = createEmbeddedStore({ file, ttl: DAY });
    expect(await store.getOrSet(ID, 'home', proposal, ['A'])).toMatchObject(proposal);
    await store.close();
    await released();
  });

  test('is in WAL mode, for readers beside a writer', async () => {
    const store = createEmbeddedStore({ file, ttl: DAY });
    const database = new DatabaseSync(file);
    expect(database.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' });
    database.close();
    await store.close();
  });
});

test.each([
  ['process', 1],
  ['power-cut', 2],
] as const)(
  'a commit that outlives a %s waits for the disk accordingly',
  (outlives, synchronous) => {
    const contents = { name: 'file', migrations: [], tables: [], loss: 'nothing', outlives };
    const database = openDatabase(file, contents);
    // 1 is NORMAL, 2 FULL: https://www.sqlite.org/pragma.html#pragma_synchronous
    expect(database.prepare('PRAGMA synchronous').get()).toEqual({ synchronous });
    database.close();
  },
);

describe('while another process holds the lock', () => {
  test('known visitors are read, and a write waits its turn without blocking', async () => {
    const store = createEmbeddedStore({ file, ttl: DAY });
    await store.getOrSet(ID, 'home', proposal, ['A']);
    const released = await holdLock(300);
    expect(await store.getOrSet(ID, 'home', proposal, ['A'])).toMatchObject({ written: false });
    let turns = 0;
    const ticking = setInterval(() => {
      turns += 1;
    }, 5);
    expect(await store.getOrSet(ID, 'price', proposal, ['A'])).toMatchObject({ written: true });
    clearInterval(ticking);
    expect(turns).toBeGreaterThan(3);
    await released();
    await store.close();
  });

  test('a write gives up in the end, and the next one works', async () => {
    const store = createEmbeddedStore({ file, ttl: DAY });
    const released = await holdLock(2_500);
    await expect(store.getOrSet(ID, 'home', proposal, ['A'])).rejects.toThrow('database is locked');
    await released();
    expect(await store.getOrSet(ID, 'home', proposal, ['A'])).toMatchObject({ written: true });
    await store.close();
  });
});

test('a crowd of visitors never keeps the event loop for long', async () => {
  const store = createEmbeddedStore({ file, ttl: DAY });
  const cookie = createVisitorCookie({ secrets: ['a-secret-for-the-tests'], secure: false });
  const crowd = Array.from({ length: 20_000 }, () => cookie.mint());
  const began = performance.now();
  let turns = 0;
  const ticking = setInterval(() => {
    turns += 1;
  }, 1);
  await store.visitors.add('home', 1, 'A', '2026-11-23', crowd);
  clearInterval(ticking);
  // One transaction would leave no turn at all, whatever the machine.
  expect(turns).toBeGreaterThan(20);
  expect(performance.now() - began).toBeLessThan(20_000);
  expect(await store.visitors.count('home', 1, 'A', '2026-11-23')).toBe(20_000);
  await store.close();
});

test('clears away what has expired, a bounded piece at a time', async () => {
  let time = Date.UTC(2026, 10, 23);
  const store = createEmbeddedStore({ file, ttl: 1_000, now: () => time });
  const cookie = createVisitorCookie({ secrets: ['a-secret-for-the-tests'], secure: false });
  const visitors = Array.from({ length: 700 }, () => cookie.mint());
  await Promise.all(visitors.map((id) => store.getOrSet(id, 'home', proposal, ['A'])));
  await store.visitors.add('home', 1, 'A', '2026-11-23', visitors);
  expect([countRows('assignment'), countRows('visitor_seen')]).toEqual([700, 700]);

  time += 40 * DAY;
  await store.visitors.add('home', 1, 'A', '2027-01-02', [ID]);
  expect([countRows('assignment'), countRows('visitor_seen')]).toEqual([200, 201]);
  time += 2_000;
  await store.getOrSet(ID, 'home', proposal, ['A']);
  expect([countRows('assignment'), countRows('visitor_seen')]).toEqual([1, 1]);
  expect(await store.visitors.count('home', 1, 'A', '2026-11-23')).toBe(0);
  expect(await store.visitors.count('home', 1, 'A', '2027-01-02')).toBe(1);
  await store.close();
});

test('counts visitors exactly', async () => {
  const store = createEmbeddedStore({ file, ttl: DAY });
  await Promise.all([
    store.visitors.add('home', 1, 'A', '2026-11-23', [ID, ID]),
    store.visitors.add('home', 1, 'A', '2026-11-23', [ID]),
  ]);
  expect(await store.visitors.count('home', 1, 'A', '2026-11-23')).toBe(1);
  await store.close();
});

test('forgets where a visitor was seen, and keeps the counts true to the rows', async () => {
  const store = createEmbeddedStore({ file, ttl: DAY });
  const cookie = createVisitorCookie({ secrets: ['a-secret-for-the-tests'], secure: false });
  const neighbour = cookie.mint();
  for (const day of ['2026-11-22', '2026-11-23']) {
    await store.visitors.add('home', 1, 'A', day, [ID, neighbour]);
    await store.visitors.add('price', 2, 'B', day, [ID]);
  }
  await store.getOrSet(ID, 'home', proposal, ['A']);
  expect(await store.forget(ID)).toBe(1);
  expect([countRows('assignment'), countRows('visitor_seen')]).toEqual([0, 2]);
  expect(await store.visitors.count('home', 1, 'A', '2026-11-22')).toBe(1);
  expect(await store.visitors.count('price', 2, 'B', '2026-11-23')).toBe(0);
  expect(await store.visitors.countOver('home', 1, 'A', ['2026-11-22', '2026-11-23'])).toBe(1);
  await store.close();
});

test('keeps who was changed for a day and no longer', async () => {
  let time = Date.UTC(2026, 10, 23);
  const store = createEmbeddedStore({ file, ttl: DAY, now: () => time });
  await store.set(ID, 'home', proposal);
  await store.forget(ID);
  expect(countRows('visitor_change')).toBe(2);
  // Gone with what is cleared away in passing: nobody else needs to be changed for that.
  time += 86_400_001;
  await store.getOrSet(ID, 'home', proposal, ['A']);
  expect(countRows('visitor_change')).toBe(0);
  // A number is never used again, or who has seen it would miss what comes.
  const heard: string[] = [];
  const watch = store.onChanged((visitor) => heard.push(visitor));
  await store.forget(ID);
  await expect.poll(() => heard).toEqual([ID]);
  watch.close();
  await store.close();
});

test('takes over a ledger of the first version', async () => {
  await createEmbeddedStore({ file, ttl: DAY }).close();
  const database = new DatabaseSync(file);
  database.exec('DROP TABLE visitor_change; PRAGMA user_version = 1');
  database.close();
  const store = createEmbeddedStore({ file, ttl: DAY });
  await store.set(ID, 'home', proposal);
  expect([countRows('assignment'), countRows('visitor_change')]).toEqual([1, 1]);
  await store.close();
});

test('a file that is damaged under our feet ends nobody who looks at it', async () => {
  const store = createEmbeddedStore({ file, ttl: DAY });
  const snapshots = createEmbeddedSnapshotStore({ file: join(folder, 'experiments.db') });
  const heard: string[] = [];
  store.onChanged((visitor) => heard.push(visitor));
  snapshots.follow((text) => heard.push(text));
  for (const name of ['ledger.db', 'experiments.db']) {
    for (const suffix of ['', '-wal', '-shm']) {
      writeFileSync(join(folder, name + suffix), 'this is no database'.repeat(1_000));
    }
  }
  await expect(snapshots.latest()).rejects.toThrow(/./);
  // Once one that is well, and began later, has looked, the others have too.
  const well = createEmbeddedStore({ file: join(folder, 'well.db'), ttl: DAY });
  const heardWell: string[] = [];
  well.onChanged((visitor) => heardWell.push(visitor));
  await well.forget(ID);
  await expect.poll(() => heardWell).toEqual([ID]);
  expect(heard).toEqual([]);
  await Promise.allSettled([store.close(), snapshots.close(), well.close()]);
});
