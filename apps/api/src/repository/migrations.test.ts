import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { createConnection } from 'mysql2/promise';
import { describe, expect, test } from 'vitest';
import { describeDatabases, query } from '../testing/databases.ts';
import { migrations } from './migrations.ts';
import type { Migration } from './migrations.ts';
import { migrateMysql } from './mysql-migrate.ts';
import type { RepositoryLocation } from './open-repository.ts';
import { pendingMigrations } from './pending-migrations.ts';
import { migrateSqlite } from './sqlite-migrate.ts';

test('migrations are numbered 1, 2, 3 … and named', () => {
  expect(migrations.map(({ version }) => version)).toEqual(migrations.map((_, index) => index + 1));
  expect(new Set(migrations.map(({ name }) => name)).size).toBe(migrations.length);
});

describe('pending migrations', () => {
  test('are all of them for an empty database, none for an up-to-date one', () => {
    expect(pendingMigrations(migrations, 0)).toEqual(migrations);
    expect(pendingMigrations(migrations, 1)).toEqual(migrations.slice(1));
    expect(pendingMigrations(migrations, migrations.length)).toEqual([]);
  });
  test('are refused for the database of a newer release', () => {
    expect(() => pendingMigrations(migrations, 99)).toThrow(
      /at schema version 99, this release knows versions up to \d+\. Start the release/,
    );
  });
});

async function migrate(location: RepositoryLocation, list: readonly Migration[]): Promise<void> {
  if (location.mysqlUrl === undefined) {
    const database = new DatabaseSync(join(location.dataFolder, 'product.sqlite'));
    try {
      migrateSqlite(database, list);
    } finally {
      database.close();
    }
    return;
  }
  const connection = await createConnection(location.mysqlUrl);
  try {
    await migrateMysql(connection, list);
  } finally {
    await connection.end();
  }
}

describeDatabases('migrating', (kind) => {
  test('goes on where an earlier release stopped', async () => {
    const location = await kind.fresh();
    await migrate(location, migrations.slice(0, 1));
    expect(await query(location, 'SELECT * FROM plans')).toEqual([]);
    for (const { version } of migrations) await migrate(location, migrations.slice(0, version));
    await migrate(location, migrations);
    expect(await query(location, 'SELECT * FROM plans')).toHaveLength(5);
    expect(await query(location, 'SELECT version FROM product_migrations')).toHaveLength(
      migrations.length,
    );
  });

  test('goes forward from every version, and keeps what is there', async () => {
    for (const { version } of migrations) {
      const location = await kind.fresh();
      await migrate(location, migrations.slice(0, version));
      // What a release has changed of the plans is not written over by the next.
      await query(location, "UPDATE plans SET name = 'Hopper' WHERE id = 'glide'");
      const hoppers = async () => query(location, "SELECT id FROM plans WHERE name = 'Hopper'");
      const before = await hoppers();
      await migrate(location, migrations);
      expect(await hoppers()).toEqual(before);
      expect(await query(location, 'SELECT id FROM plans')).toHaveLength(5);
      expect(await query(location, 'SELECT * FROM experiment_snapshot')).toEqual([
        { id: 1, revision: 0 },
      ]);
      expect(await query(location, 'SELECT * FROM experiments')).toEqual([]);
    }
  });

  test('that fails half way keeps no half, and works once mended', async () => {
    const location = await kind.fresh();
    const broken = migrations.map((migration) =>
      migration.version === 2
        ? {
            ...migration,
            sqlite: [...migration.sqlite, 'INSERT INTO nowhere VALUES (1)'],
            mysql: [...migration.mysql, 'INSERT INTO nowhere VALUES (1)'],
          }
        : migration,
    );
    await expect(migrate(location, broken)).rejects.toThrow(/nowhere/);
    await migrate(location, migrations);
    expect(await query(location, 'SELECT * FROM plans')).toHaveLength(5);
  });

  test.each([1, 3])(
    'bears a crash between the tables of version %i and their record',
    async (version) => {
      const location = await kind.fresh();
      await migrate(location, migrations.slice(0, version));
      await query(location, `DELETE FROM product_migrations WHERE version = ${version}`);
      await migrate(location, migrations);
      expect(await query(location, 'SELECT * FROM plans')).toHaveLength(5);
      expect(await query(location, 'SELECT * FROM experiment_snapshot')).toHaveLength(1);
    },
  );

  test('leaves the database of a newer release alone', async () => {
    const location = await kind.fresh();
    await migrate(location, migrations);
    await query(location, "INSERT INTO product_migrations (version, name) VALUES (99, 'later')");
    await expect(migrate(location, migrations)).rejects.toThrow(/newer/);
    expect(await query(location, 'SELECT * FROM plans')).toHaveLength(5);
  });
});
