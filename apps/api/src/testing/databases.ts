import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { createConnection } from 'mysql2/promise';
import type { RowDataPacket } from 'mysql2/promise';
import { afterAll, beforeAll, describe } from 'vitest';
import { hasMariadb, startMariadb } from '../../../../test/kit/mariadb-server.ts';
import type { MariadbServer } from '../../../../test/kit/mariadb-server.ts';
import type { RepositoryLocation } from '../repository/open-repository.ts';

/** Makes empty databases of one kind for the tests of one suite. */
export interface DatabaseKind {
  readonly name: 'SQLite' | 'MariaDB';
  /** Where an empty database is to be found; nothing has been migrated. */
  fresh(): Promise<RepositoryLocation>;
}

/**
 * Defines one suite for each kind of database. The MariaDB server is a real one,
 * set to defaults that we must not depend on: no strict mode, Latin-1, and a
 * time zone that is not UTC.
 */
export function describeDatabases(subject: string, define: (kind: DatabaseKind) => void): void {
  describe(`${subject} on SQLite`, () => {
    define(embeddedDatabases());
  });

  describe.runIf(hasMariadb())(`${subject} on MariaDB`, () => {
    const folders = temporaryFolders();
    let server: MariadbServer;
    beforeAll(async () => {
      server = await startMariadb([
        '--sql-mode=',
        '--character-set-server=latin1',
        '--default-time-zone=+05:00',
      ]);
    }, 60_000);
    afterAll(() => server.stop());
    define({
      name: 'MariaDB',
      fresh: async () => ({
        dataFolder: await folders.make(),
        mysqlUrl: await server.createDatabase(),
      }),
    });
  });
}

/** SQLite databases in temporary folders; call within a suite, whose end removes them. */
export function embeddedDatabases(): DatabaseKind {
  const folders = temporaryFolders();
  return {
    name: 'SQLite',
    fresh: async () => ({ dataFolder: await folders.make(), mysqlUrl: undefined }),
  };
}

/** Folders that are removed when the suite ends. */
export function temporaryFolders(): { make(): Promise<string> } {
  const folders: string[] = [];
  afterAll(() =>
    Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))),
  );
  return {
    async make() {
      const folder = await mkdtemp(join(tmpdir(), 'turnout-api-'));
      folders.push(folder);
      return folder;
    },
  };
}

/** Asks the database past the repository, over a connection of its own. */
export async function query(
  location: RepositoryLocation,
  sql: string,
): Promise<Record<string, unknown>[]> {
  if (location.mysqlUrl === undefined) {
    const database = new DatabaseSync(join(location.dataFolder, 'product.sqlite'));
    try {
      return database
        .prepare(sql)
        .all()
        .map((row) => ({ ...row }));
    } finally {
      database.close();
    }
  }
  const connection = await createConnection({ uri: location.mysqlUrl, timezone: 'Z' });
  try {
    const [rows] = await connection.query<RowDataPacket[]>(sql);
    // Statements that are no queries answer with counts instead of rows.
    return Array.isArray(rows) ? rows.map((row) => ({ ...row })) : [];
  } finally {
    await connection.end();
  }
}
