/**
 * The tables of tracking: what came (`test_results`), what counts of each visitor
 * (`experiment_visitors`, `visitor_results`), and the totals that reports are made of. docs/results.md
 * says what is in each column.
 */

const KEY = 'VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin';
const UUID = 'CHAR(36) CHARACTER SET ascii COLLATE ascii_bin';
const SESSION = 'CHAR(22) CHARACTER SET ascii COLLATE ascii_bin';
const DIGEST = 'CHAR(43) CHARACTER SET ascii COLLATE ascii_bin';
const BOT = 'VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin';
/** Any text; two that differ in case or accents are two. */
const EDGE = 'VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin';
const TABLE = 'ENGINE = InnoDB DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_unicode_ci';

export const trackingTables = {
  sqlite: [
    `CREATE TABLE IF NOT EXISTS test_results (
      event_id TEXT NOT NULL PRIMARY KEY,
      request_id TEXT,
      did_convert INTEGER NOT NULL CHECK (did_convert IN (0, 1)),
      occurred_at TEXT NOT NULL,
      received_at TEXT NOT NULL,
      session_id TEXT NOT NULL,
      experiment TEXT NOT NULL,
      variant TEXT NOT NULL,
      phase INTEGER NOT NULL,
      revision INTEGER NOT NULL,
      metric TEXT NOT NULL,
      value REAL,
      edge TEXT NOT NULL
    ) STRICT, WITHOUT ROWID`,
    'CREATE INDEX IF NOT EXISTS test_results_session ON test_results (experiment, phase, session_id)',
    `CREATE TABLE IF NOT EXISTS experiment_visitors (
      experiment TEXT NOT NULL,
      phase INTEGER NOT NULL,
      session_id TEXT NOT NULL,
      assigned TEXT,
      served TEXT,
      revision INTEGER,
      request_id TEXT,
      bot TEXT,
      edge TEXT,
      first_seen TEXT,
      confirmed INTEGER NOT NULL CHECK (confirmed IN (0, 1)),
      seen_variant TEXT,
      in_two_variants INTEGER NOT NULL CHECK (in_two_variants IN (0, 1)),
      PRIMARY KEY (experiment, phase, session_id)
    ) STRICT, WITHOUT ROWID`,
    `CREATE INDEX IF NOT EXISTS experiment_visitors_first_seen
      ON experiment_visitors (experiment, phase, first_seen)`,
    `CREATE TABLE IF NOT EXISTS visitor_results (
      experiment TEXT NOT NULL,
      phase INTEGER NOT NULL,
      session_id TEXT NOT NULL,
      metric TEXT NOT NULL,
      did_convert INTEGER NOT NULL CHECK (did_convert IN (0, 1)),
      value REAL,
      event_id TEXT NOT NULL,
      occurred_at TEXT NOT NULL,
      first_result_at TEXT NOT NULL,
      PRIMARY KEY (experiment, phase, session_id, metric)
    ) STRICT, WITHOUT ROWID`,
    `CREATE TABLE IF NOT EXISTS exposure_totals (
      experiment TEXT NOT NULL,
      phase INTEGER NOT NULL,
      variant TEXT NOT NULL,
      revision INTEGER NOT NULL,
      day TEXT NOT NULL,
      bot TEXT NOT NULL,
      edge TEXT NOT NULL,
      exposed INTEGER NOT NULL,
      fallback INTEGER NOT NULL,
      confirmed INTEGER NOT NULL,
      in_two_variants INTEGER NOT NULL,
      PRIMARY KEY (experiment, phase, variant, revision, day, bot, edge)
    ) STRICT, WITHOUT ROWID`,
    `CREATE TABLE IF NOT EXISTS result_totals (
      experiment TEXT NOT NULL,
      phase INTEGER NOT NULL,
      metric TEXT NOT NULL,
      variant TEXT NOT NULL,
      revision INTEGER NOT NULL,
      day TEXT NOT NULL,
      bot TEXT NOT NULL,
      edge TEXT NOT NULL,
      reported INTEGER NOT NULL,
      conversions INTEGER NOT NULL,
      confirmed_conversions INTEGER NOT NULL,
      value REAL NOT NULL,
      value_squared REAL NOT NULL,
      PRIMARY KEY (experiment, phase, metric, variant, revision, day, bot, edge)
    ) STRICT, WITHOUT ROWID`,
    `CREATE TABLE IF NOT EXISTS unreadable_events (
      digest TEXT NOT NULL PRIMARY KEY,
      reason TEXT NOT NULL,
      event TEXT NOT NULL,
      set_aside_at TEXT NOT NULL
    ) STRICT`,
    `CREATE TABLE IF NOT EXISTS drain_turns (
      id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
      taken INTEGER NOT NULL
    ) STRICT`,
    `CREATE TABLE IF NOT EXISTS result_looks (
      experiment TEXT NOT NULL,
      phase INTEGER NOT NULL,
      metric TEXT NOT NULL,
      population TEXT NOT NULL,
      version INTEGER NOT NULL CHECK (version >= 1),
      state TEXT NOT NULL CHECK (json_valid(state)),
      PRIMARY KEY (experiment, phase, metric, population)
    ) STRICT`,
  ],
  mysql: [
    `CREATE TABLE IF NOT EXISTS test_results (
      event_id ${UUID} NOT NULL PRIMARY KEY,
      request_id ${UUID},
      did_convert TINYINT UNSIGNED NOT NULL,
      occurred_at DATETIME(3) NOT NULL,
      received_at DATETIME(3) NOT NULL,
      session_id ${SESSION} NOT NULL,
      experiment ${KEY} NOT NULL,
      variant ${KEY} NOT NULL,
      phase INT UNSIGNED NOT NULL,
      revision INT UNSIGNED NOT NULL,
      metric ${KEY} NOT NULL,
      value DOUBLE,
      edge ${EDGE} NOT NULL,
      INDEX test_results_session (experiment, phase, session_id)
    ) ${TABLE}`,
    `CREATE TABLE IF NOT EXISTS experiment_visitors (
      experiment ${KEY} NOT NULL,
      phase INT UNSIGNED NOT NULL,
      session_id ${SESSION} NOT NULL,
      assigned ${KEY},
      served ${KEY},
      revision INT UNSIGNED,
      request_id ${UUID},
      bot ${BOT},
      edge ${EDGE},
      first_seen DATETIME(3),
      confirmed TINYINT UNSIGNED NOT NULL,
      seen_variant ${KEY},
      in_two_variants TINYINT UNSIGNED NOT NULL,
      PRIMARY KEY (experiment, phase, session_id),
      INDEX experiment_visitors_first_seen (experiment, phase, first_seen)
    ) ${TABLE}`,
    `CREATE TABLE IF NOT EXISTS visitor_results (
      experiment ${KEY} NOT NULL,
      phase INT UNSIGNED NOT NULL,
      session_id ${SESSION} NOT NULL,
      metric ${KEY} NOT NULL,
      did_convert TINYINT UNSIGNED NOT NULL,
      value DOUBLE,
      event_id ${UUID} NOT NULL,
      occurred_at DATETIME(3) NOT NULL,
      first_result_at DATETIME(3) NOT NULL,
      PRIMARY KEY (experiment, phase, session_id, metric)
    ) ${TABLE}`,
    `CREATE TABLE IF NOT EXISTS exposure_totals (
      experiment ${KEY} NOT NULL,
      phase INT UNSIGNED NOT NULL,
      variant ${KEY} NOT NULL,
      revision INT UNSIGNED NOT NULL,
      day CHAR(10) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
      bot ${BOT} NOT NULL,
      edge ${EDGE} NOT NULL,
      exposed BIGINT NOT NULL,
      fallback BIGINT NOT NULL,
      confirmed BIGINT NOT NULL,
      in_two_variants BIGINT NOT NULL,
      PRIMARY KEY (experiment, phase, variant, revision, day, bot, edge)
    ) ${TABLE}`,
    `CREATE TABLE IF NOT EXISTS result_totals (
      experiment ${KEY} NOT NULL,
      phase INT UNSIGNED NOT NULL,
      metric ${KEY} NOT NULL,
      variant ${KEY} NOT NULL,
      revision INT UNSIGNED NOT NULL,
      day CHAR(10) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
      bot ${BOT} NOT NULL,
      edge ${EDGE} NOT NULL,
      reported BIGINT NOT NULL,
      conversions BIGINT NOT NULL,
      confirmed_conversions BIGINT NOT NULL,
      value DOUBLE NOT NULL,
      value_squared DOUBLE NOT NULL,
      PRIMARY KEY (experiment, phase, metric, variant, revision, day, bot, edge)
    ) ${TABLE}`,
    `CREATE TABLE IF NOT EXISTS unreadable_events (
      digest ${DIGEST} NOT NULL PRIMARY KEY,
      reason VARCHAR(2000) NOT NULL,
      event MEDIUMTEXT NOT NULL,
      set_aside_at DATETIME(3) NOT NULL
    ) ${TABLE}`,
    `CREATE TABLE IF NOT EXISTS drain_turns (
      id TINYINT UNSIGNED NOT NULL PRIMARY KEY,
      taken BIGINT UNSIGNED NOT NULL
    ) ${TABLE}`,
    `CREATE TABLE IF NOT EXISTS result_looks (
      experiment ${KEY} NOT NULL,
      phase INT UNSIGNED NOT NULL,
      metric ${KEY} NOT NULL,
      population VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
      version INT UNSIGNED NOT NULL,
      state MEDIUMTEXT NOT NULL,
      PRIMARY KEY (experiment, phase, metric, population)
    ) ${TABLE}`,
  ],
} as const;

export const firstTurn = 'INSERT INTO drain_turns (id, taken) VALUES (1, 0)';

/** Whose late events are dropped. The digest of an id of 128 random bits leads nobody to it. */
export const forgottenVisitors = {
  sqlite: [
    `CREATE TABLE IF NOT EXISTS forgotten_visitors (
      digest TEXT NOT NULL PRIMARY KEY,
      forgotten_at TEXT NOT NULL
    ) STRICT, WITHOUT ROWID`,
  ],
  mysql: [
    `CREATE TABLE IF NOT EXISTS forgotten_visitors (
      digest ${DIGEST} NOT NULL PRIMARY KEY,
      forgotten_at DATETIME(3) NOT NULL
    ) ${TABLE}`,
  ],
} as const;
