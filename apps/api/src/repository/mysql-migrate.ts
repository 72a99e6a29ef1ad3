import type { Connection, RowDataPacket } from 'mysql2/promise';
import type { Migration } from './migrations.ts';
import { pendingMigrations } from './pending-migrations.ts';
import { RepositoryUnavailable } from './product-repository.ts';

/** How long to wait for another process that is migrating, in seconds. */
const LOCK_WAIT = 30;

/**
 * Brings the database to the newest version. An advisory lock makes processes
 * that start together take turns; the later ones find the work done. After a
 * failure the caller ends the connection, which rolls back what is open and
 * frees the lock, as a crash does.
 */
export async function migrateMysql(
  connection: Connection,
  migrations: readonly Migration[],
): Promise<void> {
  // Lock names are the server's, not the database's, and at most 64 characters long.
  const lock = "CONCAT('turnout-product:', MD5(DATABASE()))";
  const [locked] = await connection.query<RowDataPacket[]>(`SELECT GET_LOCK(${lock}, ?) AS taken`, [
    LOCK_WAIT,
  ]);
  if (locked[0]?.['taken'] !== 1) {
    throw new RepositoryUnavailable(
      `Another process has been changing the database's schema for more than ${LOCK_WAIT} s.`,
    );
  }
  await connection.query(
    `CREATE TABLE IF NOT EXISTS product_migrations (
      version INT UNSIGNED NOT NULL PRIMARY KEY,
      name VARCHAR(200) NOT NULL,
      applied_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
    ) ENGINE = InnoDB DEFAULT CHARACTER SET = utf8mb4`,
  );
  const [rows] = await connection.query<RowDataPacket[]>(
    'SELECT COALESCE(MAX(version), 0) AS version FROM product_migrations',
  );
  for (const migration of pendingMigrations(migrations, Number(rows[0]?.['version']))) {
    await connection.beginTransaction();
    for (const statement of migration.mysql) await connection.query(statement);
    await connection.query('INSERT INTO product_migrations (version, name) VALUES (?, ?)', [
      migration.version,
      migration.name,
    ]);
    await connection.commit();
  }
  await connection.query(`DO RELEASE_LOCK(${lock})`);
}
