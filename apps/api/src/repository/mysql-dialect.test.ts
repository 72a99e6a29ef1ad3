// MariaDB runs every statement in the other tests, and MySQL 8 in none: a server of it is not to
// be had everywhere. What both are known to read differently is held out here, by name.

import { readFileSync, readdirSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { migrations } from './migrations.ts';
import { migrateSqlite } from './sqlite-migrate.ts';

/** Of MySQL 8.4 and 9 (Reference Manual, 11.3): no name without quotes. */
const RESERVED = new Set(
  `accessible add all alter analyze and as asc asensitive before between bigint binary blob both by
  call cascade case change char character check collate column condition constraint continue convert
  create cross cube cume_dist current_date current_time current_timestamp current_user cursor
  database databases day_hour day_microsecond day_minute day_second dec decimal declare default
  delayed delete dense_rank desc describe deterministic distinct distinctrow div double drop dual
  each else elseif empty enclosed escaped except exists exit explain false fetch first_value float
  float4 float8 for force foreign from fulltext function generated get grant group grouping groups
  having high_priority hour_microsecond hour_minute hour_second if ignore in index infile inner inout
  insensitive insert int int1 int2 int3 int4 int8 integer intersect interval into io_after_gtids
  io_before_gtids is iterate join json_table key keys kill lag last_value lateral lead leading leave
  left library like limit linear lines load localtime localtimestamp lock long longblob longtext loop
  low_priority manual master_bind master_ssl_verify_server_cert match maxvalue mediumblob mediumint
  mediumtext middleint minute_microsecond minute_second mod modifies natural not no_write_to_binlog
  nth_value ntile null numeric of on optimize optimizer_costs option optionally or order out outer
  outfile over parallel partition percent_rank precision primary procedure purge qualify range rank
  read reads read_write real recursive references regexp release rename repeat replace require
  resignal restrict return revoke right rlike row rows row_number schema schemas second_microsecond
  select sensitive separator set show signal smallint spatial specific sql sqlexception sqlstate
  sqlwarning sql_big_result sql_calc_found_rows sql_small_result ssl starting stored straight_join
  system table tablesample terminated then tinyblob tinyint tinytext to trailing trigger true undo
  union unique unlock unsigned update usage use using utc_date utc_time utc_timestamp values varbinary
  varchar varcharacter varying virtual when where while window with write xor year_month zerofill`
    .trim()
    .split(/\s+/),
);

/** What MariaDB reads, and MySQL 8 does not, or not alike. */
const ONLY_MARIADB = {
  RETURNING: /\bRETURNING\b/,
  'an index that may be there': /\bINDEX IF (NOT )?EXISTS\b/,
  'a column that may be there': /\b(ADD|DROP|MODIFY|CHANGE)( COLUMN)? IF (NOT )?EXISTS\b/,
  'CREATE OR REPLACE TABLE': /\bCREATE OR REPLACE TABLE\b/,
  sequences: /\b(NEXTVAL|LASTVAL|SETVAL|NEXT VALUE FOR)\b|\bseq_\d/,
  'times of a system': /\bSYSTEM_TIME\b|\bSYSTEM VERSIONING\b/,
  'a block outside of procedures': /\bNOT ATOMIC\b/,
  'VALUE(…) for VALUES(…)': /\bVALUE\(/,
  'types of its own': /\b(UUID|INET4|INET6|VECTOR|XMLTYPE)\b(?=[^'"`]*\bNOT NULL\b)/,
  'functions of its own': /\b(JSON_DETAILED|JSON_LOOSE|JSON_EXISTS|MEDIAN|PERCENTILE_CONT)\(/,
  'a default of a long text': /\b(TEXT|BLOB)\b[^,]*\bDEFAULT (?!CHARACTER)/,
  'a limit that is given as a value: doubles are refused': /\bLIMIT \?/,
  'PERSISTENT for STORED': /\bPERSISTENT\b/,
};

/** Hold statements for SQLite; those for MySQL are asked of the migrations. */
const OF_SQLITE = /^sqlite-|^migrations\.ts$|^tracking-tables\.ts$/;

/** SQL and all else of every file that holds statements, without comments. */
function sources(): { file: string; text: string }[] {
  return readdirSync(import.meta.dirname)
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && !OF_SQLITE.test(file))
    .map((file) => ({
      file,
      text: readFileSync(`${import.meta.dirname}/${file}`, 'utf8').replaceAll(
        /\/\*[^]*?\*\/|(?<!:)\/\/.*$/gm,
        '',
      ),
    }));
}

describe('MySQL 8', () => {
  test('has no name of ours for a word of its own', () => {
    const database = new DatabaseSync(':memory:');
    migrateSqlite(database, migrations);
    const columns = database
      .prepare(
        "SELECT t.name AS place, c.name FROM pragma_table_list t JOIN pragma_table_info(t.name) c WHERE t.name NOT LIKE 'sqlite%'",
      )
      .all();
    database.close();
    const aliases = sources().flatMap(({ text }) =>
      [...text.matchAll(/ AS ([a-z_]+)\b/g)].map(([, alias = '']) => alias),
    );
    expect(columns.length).toBeGreaterThan(80);
    expect(aliases.length).toBeGreaterThan(10);
    const names = [...columns.flatMap(({ place, name }) => [place, name]), ...aliases];
    expect(names.filter((name) => RESERVED.has(String(name).toLowerCase()))).toEqual([]);
  });

  test.each(Object.entries(ONLY_MARIADB))('is not asked for %s', (_, pattern) => {
    expect(sources().filter(({ text }) => pattern.test(text))).toEqual([]);
    for (const { mysql } of migrations) {
      expect(mysql.filter((statement) => pattern.test(statement))).toEqual([]);
    }
  });
});
