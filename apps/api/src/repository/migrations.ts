import { firstTurn, forgottenVisitors, trackingTables } from './tracking-tables.ts';

/**
 * One forward step of the schema. A migration that was released never changes;
 * a correction is a new one.
 *
 * MySQL commits at every DDL statement, so a crash can leave a step half done
 * and unrecorded. A migration therefore holds either DDL that bears repetition
 * (`IF NOT EXISTS`), or data changes, which are recorded in their own
 * transaction; never both.
 */
export interface Migration {
  /** 1, 2, 3 …, without gaps. */
  readonly version: number;
  readonly name: string;
  readonly sqlite: readonly string[];
  readonly mysql: readonly string[];
}

/** Plain SQL that both dialects read alike. Prices are in cents; a null data_gb is unlimited. */
const firstPlans = `
INSERT INTO plans
  (id, name, tagline, price, currency, data_gb, roaming_gb, speed_mbit, commitment_months, highlights, popular)
VALUES
  ('hatchling', 'Hatchling', 'Calls, maps and messages, for little.', 700, 'EUR', 5, 3, 50, 0,
   '["Unlimited calls and texts","Cancel any month","eSIM in five minutes"]', 0),
  ('glide', 'Glide', 'Enough for music on every ride.', 1200, 'EUR', 20, 10, 150, 0,
   '["Unlimited calls and texts","Cancel any month","Unused data rolls over"]', 0),
  ('soar', 'Soar', 'The one that most people keep.', 1800, 'EUR', 60, 25, 300, 0,
   '["Unlimited calls and texts","5G included","Unused data rolls over","Share data with a tablet"]', 1),
  ('flock', 'Flock', 'One allowance for up to four of you.', 3200, 'EUR', 150, 40, 300, 12,
   '["Four numbers on one bill","5G included","Spending limits for children","Unused data rolls over"]', 0),
  ('horizon', 'Horizon', 'No limit here, plenty everywhere.', 3900, 'EUR', NULL, 80, 1000, 12,
   '["Unlimited data at full speed","5G included","Calls to 40 countries","A person answers within a minute"]', 0)
`;

const firstSnapshot = 'INSERT INTO experiment_snapshot (id, revision) VALUES (1, 0)';

export const migrations: readonly Migration[] = [
  {
    version: 1,
    name: 'create plans and sign-ups',
    sqlite: [
      `CREATE TABLE IF NOT EXISTS plans (
        id TEXT NOT NULL PRIMARY KEY,
        name TEXT NOT NULL,
        tagline TEXT NOT NULL,
        price INTEGER NOT NULL CHECK (price >= 0),
        currency TEXT NOT NULL CHECK (length(currency) = 3),
        data_gb INTEGER CHECK (data_gb > 0),
        roaming_gb INTEGER NOT NULL,
        speed_mbit INTEGER NOT NULL,
        commitment_months INTEGER NOT NULL,
        highlights TEXT NOT NULL CHECK (json_valid(highlights)),
        popular INTEGER NOT NULL CHECK (popular IN (0, 1))
      ) STRICT`,
      `CREATE TABLE IF NOT EXISTS sign_ups (
        id TEXT NOT NULL PRIMARY KEY,
        plan TEXT NOT NULL REFERENCES plans (id),
        name TEXT NOT NULL,
        email TEXT NOT NULL,
        created_at TEXT NOT NULL,
        visitor TEXT,
        assignments TEXT,
        idempotency_key TEXT UNIQUE
      ) STRICT`,
    ],
    mysql: [
      // Ids and keys are compared byte by byte: a case-insensitive collation
      // would take two visitors' keys for one.
      `CREATE TABLE IF NOT EXISTS plans (
        id VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
        name VARCHAR(100) NOT NULL,
        tagline VARCHAR(200) NOT NULL,
        price INT UNSIGNED NOT NULL,
        currency CHAR(3) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
        data_gb INT UNSIGNED,
        roaming_gb INT UNSIGNED NOT NULL,
        speed_mbit INT UNSIGNED NOT NULL,
        commitment_months INT UNSIGNED NOT NULL,
        highlights TEXT NOT NULL,
        popular TINYINT UNSIGNED NOT NULL
      ) ENGINE = InnoDB DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_unicode_ci`,
      `CREATE TABLE IF NOT EXISTS sign_ups (
        id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
        plan VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
        name VARCHAR(100) NOT NULL,
        email VARCHAR(254) NOT NULL,
        created_at DATETIME(3) NOT NULL,
        visitor VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
        assignments VARCHAR(1024) CHARACTER SET ascii COLLATE ascii_bin,
        idempotency_key VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin UNIQUE,
        FOREIGN KEY (plan) REFERENCES plans (id)
      ) ENGINE = InnoDB DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_unicode_ci`,
    ],
  },
  { version: 2, name: 'offer the first five plans', sqlite: [firstPlans], mysql: [firstPlans] },
  {
    version: 3,
    name: 'create experiments and their audit',
    sqlite: [
      `CREATE TABLE IF NOT EXISTS experiment_revisions (
        experiment TEXT NOT NULL,
        revision INTEGER NOT NULL CHECK (revision >= 1),
        document TEXT NOT NULL CHECK (json_valid(document)),
        author TEXT NOT NULL,
        reason TEXT NOT NULL,
        meaning TEXT NOT NULL,
        created_at TEXT NOT NULL,
        PRIMARY KEY (experiment, revision)
      ) STRICT`,
      `CREATE TABLE IF NOT EXISTS experiments (
        experiment TEXT NOT NULL PRIMARY KEY,
        revision INTEGER NOT NULL,
        created_at TEXT NOT NULL,
        FOREIGN KEY (experiment, revision) REFERENCES experiment_revisions (experiment, revision)
      ) STRICT`,
      `CREATE TABLE IF NOT EXISTS experiment_snapshot (
        id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
        revision INTEGER NOT NULL CHECK (revision >= 0)
      ) STRICT`,
      `CREATE TABLE IF NOT EXISTS audit (
        id INTEGER NOT NULL PRIMARY KEY,
        created_at TEXT NOT NULL,
        author TEXT NOT NULL,
        action TEXT NOT NULL,
        subject TEXT NOT NULL,
        reason TEXT NOT NULL
      ) STRICT`,
      'CREATE INDEX IF NOT EXISTS audit_created_at ON audit (created_at)',
      'CREATE INDEX IF NOT EXISTS sign_ups_visitor ON sign_ups (visitor)',
    ],
    mysql: [
      `CREATE TABLE IF NOT EXISTS experiment_revisions (
        experiment VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
        revision INT UNSIGNED NOT NULL,
        document MEDIUMTEXT NOT NULL,
        author VARCHAR(64) NOT NULL,
        reason VARCHAR(2000) NOT NULL,
        meaning VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
        created_at DATETIME(3) NOT NULL,
        PRIMARY KEY (experiment, revision)
      ) ENGINE = InnoDB DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_unicode_ci`,
      `CREATE TABLE IF NOT EXISTS experiments (
        experiment VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
        revision INT UNSIGNED NOT NULL,
        created_at DATETIME(3) NOT NULL,
        FOREIGN KEY (experiment, revision) REFERENCES experiment_revisions (experiment, revision)
      ) ENGINE = InnoDB DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_unicode_ci`,
      `CREATE TABLE IF NOT EXISTS experiment_snapshot (
        id TINYINT UNSIGNED NOT NULL PRIMARY KEY,
        revision INT UNSIGNED NOT NULL
      ) ENGINE = InnoDB DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_unicode_ci`,
      `CREATE TABLE IF NOT EXISTS audit (
        id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
        created_at DATETIME(3) NOT NULL,
        author VARCHAR(64) NOT NULL,
        action VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
        subject VARCHAR(200) NOT NULL,
        reason VARCHAR(2000) NOT NULL,
        INDEX audit_created_at (created_at)
      ) ENGINE = InnoDB DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_unicode_ci`,
      // MySQL, unlike MariaDB, knows no CREATE INDEX IF NOT EXISTS.
      `SELECT IF(COUNT(*) = 0, 'CREATE INDEX sign_ups_visitor ON sign_ups (visitor)', 'DO 0')
       INTO @create_index FROM information_schema.statistics
       WHERE table_schema = DATABASE() AND table_name = 'sign_ups' AND index_name = 'sign_ups_visitor'`,
      'PREPARE create_index FROM @create_index',
      'EXECUTE create_index',
      'DEALLOCATE PREPARE create_index',
    ],
  },
  {
    version: 4,
    name: 'begin the snapshot of experiments at 0',
    sqlite: [firstSnapshot],
    mysql: [firstSnapshot],
  },
  {
    version: 5,
    name: 'create ramps',
    sqlite: [
      `CREATE TABLE IF NOT EXISTS ramps (
        experiment TEXT NOT NULL PRIMARY KEY REFERENCES experiments (experiment),
        version INTEGER NOT NULL CHECK (version >= 1),
        status TEXT NOT NULL,
        state TEXT NOT NULL CHECK (json_valid(state))
      ) STRICT`,
    ],
    mysql: [
      `CREATE TABLE IF NOT EXISTS ramps (
        experiment VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
        version INT UNSIGNED NOT NULL,
        status VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
        state MEDIUMTEXT NOT NULL,
        FOREIGN KEY (experiment) REFERENCES experiments (experiment)
      ) ENGINE = InnoDB DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_unicode_ci`,
    ],
  },
  { version: 6, name: 'create the tables of tracking', ...trackingTables },
  {
    version: 7,
    name: 'begin the turns of the drain at 0',
    sqlite: [firstTurn],
    mysql: [firstTurn],
  },
  { version: 8, name: 'create the visitors who are forgotten', ...forgottenVisitors },
];
