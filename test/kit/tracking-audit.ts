import { createConnection } from 'mysql2/promise';
import type { RowDataPacket } from 'mysql2/promise';
import { hasConverted, hasReported, type Shopper } from './shoppers.ts';

/** Where SQL differs from what visitors saw and were answered. */
export interface TrackingAudit {
  /** Ids of results that were answered 202, and are in no row. */
  readonly lostResults: readonly string[];
  /** Ids in rows of results that nobody sent, or that say other than was sent. */
  readonly wrongResults: readonly string[];
  /** Visitors whose page is not counted. */
  readonly lostVisitors: readonly Shopper[];
  /** Visitors who are counted in another variant, or with another result, or wrongly confirmed. */
  readonly wrongVisitors: readonly Shopper[];
  /** The variants of visitors whom nobody knows: their first page may have broken off. */
  readonly strangers: readonly string[];
}

interface CountedVisitor {
  readonly variant: string;
  readonly isConfirmed: boolean;
  readonly isInTwoVariants: boolean;
  /** null without a result. */
  readonly didConvert: boolean | null;
}

/** Compares visitor by visitor, and result by result. */
export async function auditTracking(
  mysqlUrl: string,
  experiment: string,
  shoppers: readonly Shopper[],
): Promise<TrackingAudit> {
  const visitors = await countedVisitors(mysqlUrl, experiment);
  const results = await storedResults(mysqlUrl, experiment);
  const known = new Set(shoppers.map(({ id }) => id));
  const sent = new Map(
    shoppers.flatMap(({ id, variant, reports }) =>
      reports.map((report) => [
        report.eventId,
        rowText(id, variant, report.didConvert, report.requestId),
      ]),
    ),
  );
  return {
    lostResults: [...sent.keys()].filter((eventId) => !results.has(eventId)),
    wrongResults: [...results].flatMap(([eventId, row]) =>
      sent.get(eventId) === row ? [] : [eventId],
    ),
    lostVisitors: shoppers.filter(({ id }) => !visitors.has(id)),
    wrongVisitors: shoppers.filter((shopper) => isWrong(visitors, shopper)),
    strangers: [...visitors].flatMap(([id, { variant }]) => (known.has(id) ? [] : [variant])),
  };
}

function isWrong(visitors: ReadonlyMap<string, CountedVisitor>, shopper: Shopper): boolean {
  const counted = visitors.get(shopper.id);
  if (counted === undefined) return false;
  return (
    counted.variant !== shopper.variant ||
    counted.isConfirmed !== shopper.cameBack ||
    counted.isInTwoVariants ||
    counted.didConvert !== (hasReported(shopper) ? hasConverted(shopper) : null)
  );
}

/** Those whose exposure is counted. */
async function countedVisitors(
  mysqlUrl: string,
  experiment: string,
): Promise<Map<string, CountedVisitor>> {
  const rows = await query(
    mysqlUrl,
    `SELECT v.session_id, v.assigned, v.confirmed, v.in_two_variants, r.did_convert
     FROM experiment_visitors v LEFT JOIN visitor_results r USING (experiment, phase, session_id)
     WHERE v.experiment = ? AND v.assigned IS NOT NULL`,
    experiment,
  );
  return new Map(
    rows.map((row) => [
      String(row['session_id']),
      {
        variant: String(row['assigned']),
        isConfirmed: row['confirmed'] === 1,
        isInTwoVariants: row['in_two_variants'] === 1,
        didConvert: row['did_convert'] === null ? null : row['did_convert'] === 1,
      },
    ]),
  );
}

async function storedResults(mysqlUrl: string, experiment: string): Promise<Map<string, string>> {
  const rows = await query(
    mysqlUrl,
    `SELECT event_id, session_id, variant, did_convert, request_id
     FROM test_results WHERE experiment = ?`,
    experiment,
  );
  return new Map(
    rows.map((row) => [
      String(row['event_id']),
      rowText(row['session_id'], row['variant'], row['did_convert'] === 1, row['request_id']),
    ]),
  );
}

function rowText(...values: readonly unknown[]): string {
  return values.join(' ');
}

async function query(
  mysqlUrl: string,
  sql: string,
  experiment: string,
): Promise<readonly RowDataPacket[]> {
  const connection = await createConnection(mysqlUrl);
  try {
    const [rows] = await connection.execute<RowDataPacket[]>(sql, [experiment]);
    return rows;
  } finally {
    await connection.end();
  }
}
