import { randomUUIDv7 } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';
import { planListSchema } from '@turnout/contracts/product';
import { describeDatabases, query } from '../testing/databases.ts';
import type { DatabaseKind } from '../testing/databases.ts';
import { migrations } from './migrations.ts';
import { openRepository } from './open-repository.ts';
import type { RepositoryLocation } from './open-repository.ts';
import type { NewSignUp, ProductRepository } from './product-repository.ts';

/** Both sides of the contract: the repository, and its database to look behind it. */
async function open(
  kind: DatabaseKind,
): Promise<{ repository: ProductRepository; location: RepositoryLocation }> {
  const location = await kind.fresh();
  const repository = await reopen(location);
  return { repository, location };
}

async function reopen(location: RepositoryLocation): Promise<ProductRepository> {
  const repository = await openRepository(location, {
    limit: 0,
    clock: () => 0,
    pause: async () => undefined,
    onRetry: () => undefined,
  });
  onTestFinished(() => repository.close());
  return repository;
}

function signUp(changes: Partial<NewSignUp> = {}): NewSignUp {
  return {
    id: randomUUIDv7(),
    plan: 'soar',
    name: 'Ada Lovelace',
    email: 'ada@example.org',
    createdAt: new Date('2026-02-03T04:05:06.007Z'),
    visitor: null,
    assignments: null,
    idempotencyKey: null,
    ...changes,
  };
}

describeDatabases('product repository', (kind) => {
  test('offers five plans, cheapest first, one popular and one unlimited', async () => {
    const { repository } = await open(kind);
    const { plans } = planListSchema.parse({ plans: await repository.listPlans() });
    expect(plans).toHaveLength(5);
    expect(plans.map(({ price }) => price)).toEqual(
      plans.map(({ price }) => price).toSorted((a, b) => a - b),
    );
    expect(plans.filter(({ popular }) => popular)).toHaveLength(1);
    expect(plans.filter(({ data }) => data === null)).toHaveLength(1);
    for (const plan of plans) expect(await repository.findPlan(plan.id)).toEqual(plan);
  });

  test.each(['', 'none', 'SOAR', 'soar ', "' OR 1=1 --", 'søar', 'a'.repeat(5_000)])(
    'has no plan %j',
    async (id) => {
      const { repository } = await open(kind);
      expect(await repository.findPlan(id)).toBeUndefined();
    },
  );

  test('keeps a sign-up with its visitor, whatever the script and the server’s defaults', async () => {
    const { repository, location } = await open(kind);
    const given = signUp({
      name: 'Žofie 李 🦜 O’Neill \\ \u0000 %',
      visitor: 'AAAAAAAAAAAAAAAAAAAAAA',
      assignments: 'home-redesign=A',
      idempotencyKey: 'k1',
    });
    const result = await repository.recordSignUp(given);
    expect(result).toEqual({
      outcome: 'created',
      signUp: {
        id: given.id,
        plan: 'soar',
        name: given.name,
        email: given.email,
        createdAt: '2026-02-03T04:05:06.007Z',
      },
    });
    const [row] = await query(location, 'SELECT * FROM sign_ups');
    expect(row).toEqual({
      id: given.id,
      plan: 'soar',
      name: given.name,
      email: given.email,
      created_at: kind.name === 'SQLite' ? '2026-02-03T04:05:06.007Z' : given.createdAt,
      visitor: given.visitor,
      assignments: given.assignments,
      idempotency_key: 'k1',
    });
  });

  test('never cuts a value short: it is kept whole or refused', async () => {
    const { repository, location } = await open(kind);
    const name = 'x'.repeat(5_000);
    const [result] = await Promise.allSettled([repository.recordSignUp(signUp({ name }))]);
    const rows = await query(location, 'SELECT name FROM sign_ups');
    expect(rows).toEqual(result.status === 'fulfilled' ? [{ name }] : []);
  });

  test('refuses an unknown plan and stores nothing', async () => {
    const { repository, location } = await open(kind);
    for (const plan of ['none', 'soar ', 'Soar', 'søar', '']) {
      expect(await repository.recordSignUp(signUp({ plan }))).toEqual({ outcome: 'unknown-plan' });
    }
    expect(await query(location, 'SELECT * FROM sign_ups')).toEqual([]);
  });

  test('answers a repeated key with the first sign-up, a reused one with a refusal', async () => {
    const { repository, location } = await open(kind);
    const first = await repository.recordSignUp(signUp({ idempotencyKey: 'key' }));
    const again = await repository.recordSignUp(
      signUp({ idempotencyKey: 'key', createdAt: new Date('2027-01-01T00:00:00Z') }),
    );
    expect(again).toEqual({ ...first, outcome: 'replayed' });
    for (const change of [{ name: 'Eve' }, { email: 'eve@example.org' }, { plan: 'glide' }]) {
      expect(await repository.recordSignUp(signUp({ idempotencyKey: 'key', ...change }))).toEqual({
        outcome: 'key-reused',
      });
    }
    expect(await query(location, 'SELECT * FROM sign_ups')).toHaveLength(1);
  });

  test('tells keys apart by case, and keyless sign-ups from each other', async () => {
    const { repository, location } = await open(kind);
    for (const idempotencyKey of ['key', 'KEY', null, null]) {
      const result = await repository.recordSignUp(signUp({ idempotencyKey }));
      expect(result.outcome).toBe('created');
    }
    expect(await query(location, 'SELECT * FROM sign_ups')).toHaveLength(4);
  });

  test('reports an id that is taken as an error, not as a repeated key', async () => {
    const { repository } = await open(kind);
    const given = signUp({ idempotencyKey: 'one' });
    await repository.recordSignUp(given);
    await expect(repository.recordSignUp({ ...given, idempotencyKey: 'two' })).rejects.toThrow(
      /constraint|duplicate/i,
    );
  });

  test('stores 200 parallel sign-ups', async () => {
    const { repository, location } = await open(kind);
    const given = Array.from({ length: 200 }, () => signUp());
    const results = await Promise.all(given.map((each) => repository.recordSignUp(each)));
    expect(results.every(({ outcome }) => outcome === 'created')).toBe(true);
    const rows = await query(location, 'SELECT id FROM sign_ups ORDER BY id');
    expect(rows.map(({ id }) => id)).toEqual(given.map(({ id }) => id).toSorted());
  });

  test('makes one row of 50 parallel retries over two connections', async () => {
    const { repository, location } = await open(kind);
    const other = await reopen(location);
    const results = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        (index % 2 ? repository : other).recordSignUp(signUp({ idempotencyKey: 'same' })),
      ),
    );
    expect(results.filter(({ outcome }) => outcome === 'created')).toHaveLength(1);
    expect(results.filter(({ outcome }) => outcome === 'replayed')).toHaveLength(49);
    expect(new Set(results.map((result) => 'signUp' in result && result.signUp.id)).size).toBe(1);
    expect(await query(location, 'SELECT id FROM sign_ups')).toHaveLength(1);
  });

  test('keeps everything over a restart, and migrates nothing twice', async () => {
    const { repository, location } = await open(kind);
    await repository.recordSignUp(signUp());
    const before = await query(location, 'SELECT * FROM product_migrations ORDER BY version');
    expect(before.map(({ version }) => version)).toEqual(migrations.map(({ version }) => version));
    await repository.close();

    const again = await reopen(location);
    await again.check();
    expect(await again.listPlans()).toHaveLength(5);
    expect(await query(location, 'SELECT * FROM sign_ups')).toHaveLength(1);
    expect(await query(location, 'SELECT * FROM product_migrations ORDER BY version')).toEqual(
      before,
    );
  });
});
