import type { Contents } from '@turnout/router-core/embedded-database';

/**
 * Numbers rise with each commit and are never used twice, so that who acknowledges late drops
 * nothing of others.
 *
 * A lease is a row of events that one reader has. Leases are given from the front and end when
 * all their events are acknowledged, which deletes them; so what lies behind the last lease
 * is new, and where there is no lease, everything is.
 */
const SCHEMA = `
  CREATE TABLE event (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    text   TEXT NOT NULL
  ) STRICT;

  CREATE TABLE lease (
    first   INTEGER PRIMARY KEY,
    last    INTEGER NOT NULL,
    reader  TEXT NOT NULL,
    expires INTEGER NOT NULL     -- milliseconds since 1970
  ) STRICT;

  -- How many events there are, so that nobody counts them.
  CREATE TABLE backlog (
    only   INTEGER PRIMARY KEY CHECK (only = 1),
    events INTEGER NOT NULL
  ) STRICT;
  INSERT INTO backlog VALUES (1, 0);
`;

export const EVENTS: Contents = {
  name: 'event log',
  migrations: [SCHEMA],
  tables: ['event', 'lease', 'backlog'],
  loss: 'what is in it and was not counted yet stays uncounted',
};
