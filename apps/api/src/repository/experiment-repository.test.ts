import { expect, onTestFinished, test } from 'vitest';
import { describeDatabases, query } from '../testing/databases.ts';
import type { DatabaseKind } from '../testing/databases.ts';
import { experimentDocument } from '../testing/experiment-documents.ts';
import type { AuditEntry } from './audit-repository.ts';
import type { StoredRevision } from './experiment-repository.ts';
import { openRepository } from './open-repository.ts';
import type { RepositoryLocation } from './open-repository.ts';
import type { Repository } from './repository.ts';

async function reopen(location: RepositoryLocation): Promise<Repository> {
  const repository = await openRepository(location, {
    limit: 0,
    clock: () => 0,
    pause: async () => undefined,
    onRetry: () => undefined,
  });
  onTestFinished(() => repository.close());
  return repository;
}

async function open(kind: DatabaseKind) {
  const location = await kind.fresh();
  return { location, repository: await reopen(location) };
}

const NOON = new Date('2026-03-04T12:00:00.123Z');
const LATER = new Date('2026-03-04T12:00:00.124Z');

function revision(number: number, changes: Partial<StoredRevision> = {}): StoredRevision {
  const key = changes.key ?? 'home';
  return {
    key,
    revision: number,
    document: experimentDocument({ key, revision: number, title: `Žofie 李 🦜 \\ ${number}` }),
    author: 'Žofie',
    reason: 'because 🦜',
    meaning: 'new-visitors',
    at: NOON,
    ...changes,
  };
}

function audit(changes: Partial<AuditEntry> = {}): AuditEntry {
  return {
    at: NOON,
    author: 'ada',
    action: 'experiment.change',
    subject: 'home',
    reason: 'because',
    ...changes,
  };
}

describeDatabases('experiment repository', (kind) => {
  test('begins empty, at snapshot 0', async () => {
    const { repository } = await open(kind);
    expect(await repository.experiments.live()).toEqual({ snapshot: 0, experiments: new Map() });
    expect(await repository.experiments.history('home', { limit: 10, bytes: 9_999 })).toEqual([]);
    expect(await repository.audit.list({ limit: 10 })).toEqual([]);
  });

  test('keeps every revision as it was, over a restart too', async () => {
    const { repository, location } = await open(kind);
    const { experiments } = repository;
    expect(await experiments.commit(0, [revision(1)], [audit()])).toBe(1);
    const second = revision(2, { at: LATER, author: 'ada', meaning: 'move-fewest' });
    expect(await experiments.commit(1, [second], [audit({ at: LATER })])).toBe(2);
    const live = {
      snapshot: 2,
      experiments: new Map([['home', { ...second, createdAt: NOON }]]),
    };
    expect(await experiments.live()).toEqual(live);
    await repository.close();
    const again = await reopen(location);
    expect(await again.experiments.live()).toEqual(live);
    const history = (page: { limit: number; before?: number }) =>
      again.experiments.history('home', { ...page, bytes: 9_999 });
    expect(await history({ limit: 10 })).toEqual([second, revision(1)]);
    expect(await history({ limit: 1 })).toEqual([second]);
    expect(await history({ limit: 9, before: 2 })).toEqual([revision(1)]);
    expect(await again.experiments.revision('home', 1)).toEqual(revision(1));
    expect(await again.experiments.revision('home', 3)).toBeUndefined();
    expect(await again.experiments.revision('HOME', 1)).toBeUndefined();
  });

  test('of changes from the same snapshot one is stored, whichever connection they come by', async () => {
    const { repository, location } = await open(kind);
    const other = await reopen(location);
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        (index % 2 === 0 ? repository : other).experiments.commit(
          0,
          [revision(1, { key: `e${index}` })],
          [audit({ subject: `e${index}` })],
        ),
      ),
    );
    expect(outcomes.filter((snapshot) => snapshot === 1)).toHaveLength(1);
    expect(outcomes.filter((snapshot) => snapshot === undefined)).toHaveLength(19);
    const { snapshot, experiments } = await other.experiments.live();
    expect(snapshot).toBe(1);
    expect([...experiments.keys()]).toEqual([`e${outcomes.indexOf(1)}`]);
    expect(await repository.audit.list({ limit: 100 })).toHaveLength(1);
    expect(await query(location, 'SELECT * FROM experiment_revisions')).toHaveLength(1);
  });

  test('a change that fails half way leaves nothing, and no lock', async () => {
    const { repository } = await open(kind);
    const { experiments } = repository;
    await experiments.commit(0, [revision(1)], [audit()]);
    await expect(
      experiments.commit(1, [revision(1, { key: 'other' }), revision(1)], [audit()]),
    ).rejects.toThrow(/UNIQUE|Duplicate/i);
    expect((await experiments.live()).snapshot).toBe(1);
    expect([...(await experiments.live()).experiments.keys()]).toEqual(['home']);
    expect(await repository.audit.list({ limit: 10 })).toHaveLength(1);
    expect(await experiments.commit(1, [revision(2)], [audit()])).toBe(2);
  });

  test('what another process has stored is seen at once', async () => {
    const { repository, location } = await open(kind);
    const other = await reopen(location);
    await repository.experiments.commit(0, [revision(1)], []);
    expect((await other.experiments.live()).snapshot).toBe(1);
    await repository.experiments.commit(1, [revision(2), revision(1, { key: 'second' })], []);
    const { experiments } = await other.experiments.live();
    expect([...experiments].map(([key, one]) => [key, one.revision])).toEqual([
      ['home', 2],
      ['second', 1],
    ]);
  });

  test('of many all are the same for who stored them, who knew some, and who knew none', async () => {
    const { repository, location } = await open(kind);
    const other = await reopen(location);
    const keys = Array.from({ length: 120 }, (_, at) => `e-${(at * 77) % 120}`);
    await repository.experiments.commit(0, [revision(1, { key: 'e' }), revision(1)], []);
    await other.experiments.live();
    await repository.experiments.live();
    const many = keys.map((key) => revision(1, { key, at: LATER }));
    await repository.experiments.commit(1, [...many, revision(2, { at: LATER })], []);
    const stored = await repository.experiments.live();
    const fresh = await (await reopen(location)).experiments.live();
    expect(stored.snapshot).toBe(2);
    expect([...stored.experiments]).toEqual([...fresh.experiments]);
    expect([...(await other.experiments.live()).experiments]).toEqual([...fresh.experiments]);
    expect(fresh.experiments.size).toBe(122);
    expect(fresh.experiments.get('home')).toMatchObject({ revision: 2, createdAt: NOON });
  });

  test('moves the snapshot on without a change, if nobody was faster', async () => {
    const { repository } = await open(kind);
    await repository.experiments.commit(0, [revision(1)], []);
    expect(await repository.experiments.raise(0, 9)).toBe(false);
    expect(await repository.experiments.raise(1, 9)).toBe(true);
    expect(await repository.experiments.live()).toMatchObject({ snapshot: 9 });
  });

  test('reads no more of a history than its documents may have bytes, but two', async () => {
    const { repository } = await open(kind);
    const { experiments } = repository;
    const all = Array.from({ length: 6 }, (_, index) => revision(index + 1));
    for (const [at, one] of all.entries()) await experiments.commit(at, [one], []);
    const bytes = Buffer.byteLength(JSON.stringify(all[0]?.document));
    const read = async (most: number, before?: number) =>
      (
        await experiments.history('home', {
          limit: 9,
          bytes: most,
          ...(before !== undefined && { before }),
        })
      ).map(({ revision: number }) => number);
    expect(await read(4 * bytes)).toEqual([6, 5, 4, 3]);
    expect(await read(4 * bytes - 1)).toEqual([6, 5, 4]);
    expect(await read(1)).toEqual([6, 5]);
    expect(await read(4 * bytes, 3)).toEqual([2, 1]);
    expect(await read(1, 2)).toEqual([1]);
  });

  test('holds the largest document that the API takes', async () => {
    const { repository } = await open(kind);
    const paths = Array.from({ length: 9_000 }, (_, index) => `/${'x'.repeat(100)}/${index}`);
    const large = revision(1, { document: experimentDocument({ scope: { paths } }) });
    expect(JSON.stringify(large.document).length).toBeGreaterThan(900_000);
    await repository.experiments.commit(0, [large], []);
    expect(await repository.experiments.revision('home', 1)).toEqual(large);
  });
});

describeDatabases('audit', (kind) => {
  test('tells the newest first, by pages', async () => {
    const { repository } = await open(kind);
    const entries = [audit({ subject: 'a' }), audit({ subject: 'b' }), audit({ at: LATER })];
    for (const entry of entries) await repository.audit.record(entry);
    expect(await repository.audit.list({ limit: 10 })).toEqual(entries.toReversed());
    expect(await repository.audit.list({ limit: 1 })).toEqual([entries[2]]);
    expect(await repository.audit.list({ limit: 10, before: LATER })).toEqual([
      entries[1],
      entries[0],
    ]);
  });

  test('cuts no page among entries of one moment: the next one begins before it', async () => {
    const { repository } = await open(kind);
    const [first, ...together] = ['a', 'b', 'c', 'd'].map((subject) =>
      audit({ subject, ...(subject !== 'a' && { at: LATER }) }),
    );
    for (const entry of [first, ...together]) await repository.audit.record(entry ?? audit());
    expect(await repository.audit.list({ limit: 2 })).toEqual(together.toReversed());
    expect(await repository.audit.list({ limit: 2, before: LATER })).toEqual([first]);
    expect(await repository.audit.list({ limit: 2, before: NOON })).toEqual([]);
  });
});

describeDatabases('forgetting a visitor', (kind) => {
  test('leaves the sign-up without the visitor, and says so in the audit', async () => {
    const { repository, location } = await open(kind);
    const signUp = {
      plan: 'soar',
      name: 'Ada',
      email: 'ada@example.org',
      createdAt: NOON,
      assignments: 'home=A',
      idempotencyKey: null,
    };
    const id = '01980000-0000-7000-8000-00000000000';
    await repository.recordSignUp({ ...signUp, id: `${id}1`, visitor: 'AAAAAAAAAAAAAAAAAAAAAA' });
    await repository.recordSignUp({ ...signUp, id: `${id}2`, visitor: 'aAAAAAAAAAAAAAAAAAAAAA' });
    const entry = audit({ action: 'visitor.forget' });
    expect(await repository.visitors.forget('AAAAAAAAAAAAAAAAAAAAAA', 'pseudonym', entry)).toBe(1);
    expect(await repository.visitors.forget('AAAAAAAAAAAAAAAAAAAAAA', 'pseudonym', entry)).toBe(0);
    expect(await query(location, 'SELECT visitor, assignments FROM sign_ups ORDER BY id')).toEqual([
      { visitor: null, assignments: null },
      { visitor: 'aAAAAAAAAAAAAAAAAAAAAA', assignments: 'home=A' },
    ]);
    expect(await repository.audit.list({ limit: 10 })).toEqual([entry, entry]);
  });
});
