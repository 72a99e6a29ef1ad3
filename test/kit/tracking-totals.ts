import { createConnection } from 'mysql2/promise';
import type { RowDataPacket } from 'mysql2/promise';
import type { ExpectedCounts } from './tracked-visitors.ts';

/** What the totals of an experiment say, by variant. */
export async function countedTotals(
  mysqlUrl: string,
  experiment: string,
): Promise<ReadonlyMap<string, ExpectedCounts>> {
  const connection = await createConnection(mysqlUrl);
  try {
    const [rows] = await connection.execute<RowDataPacket[]>(
      `SELECT e.variant, e.exposed, e.confirmed, r.reported, r.conversions, r.confirmed_conversions
       FROM (SELECT variant, SUM(exposed) AS exposed, SUM(confirmed) AS confirmed
             FROM exposure_totals WHERE experiment = ? GROUP BY variant) e
       LEFT JOIN (SELECT variant, SUM(reported) AS reported, SUM(conversions) AS conversions,
                    SUM(confirmed_conversions) AS confirmed_conversions
             FROM result_totals WHERE experiment = ? GROUP BY variant) r ON r.variant = e.variant
       ORDER BY e.variant`,
      [experiment, experiment],
    );
    return new Map(
      rows.map((row) => [
        String(row['variant']),
        {
          exposed: Number(row['exposed']),
          confirmed: Number(row['confirmed']),
          reported: Number(row['reported']),
          conversions: Number(row['conversions']),
          confirmedConversions: Number(row['confirmed_conversions']),
        },
      ]),
    );
  } finally {
    await connection.end();
  }
}

/** The same, counted anew from the rows of visitors: totals that drifted would differ. */
export async function recountedTotals(
  mysqlUrl: string,
  experiment: string,
): Promise<ReadonlyMap<string, ExpectedCounts>> {
  const connection = await createConnection(mysqlUrl);
  try {
    const [rows] = await connection.execute<RowDataPacket[]>(
      `SELECT v.assigned, COUNT(*) AS exposed, SUM(v.confirmed) AS confirmed,
              COUNT(r.session_id) AS reported, SUM(COALESCE(r.did_convert, 0)) AS conversions,
              SUM(v.confirmed * COALESCE(r.did_convert, 0)) AS confirmed_conversions
       FROM experiment_visitors v
       LEFT JOIN visitor_results r USING (experiment, phase, session_id)
       WHERE v.experiment = ? AND v.assigned IS NOT NULL
       GROUP BY v.assigned ORDER BY v.assigned`,
      [experiment],
    );
    return new Map(
      rows.map((row) => [
        String(row['assigned']),
        {
          exposed: Number(row['exposed']),
          confirmed: Number(row['confirmed']),
          reported: Number(row['reported']),
          conversions: Number(row['conversions']),
          confirmedConversions: Number(row['confirmed_conversions']),
        },
      ]),
    );
  } finally {
    await connection.end();
  }
}
