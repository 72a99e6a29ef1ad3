import { trafficReportSchema } from '@turnout/contracts/traffic';
import type { TrafficReport } from '@turnout/contracts/traffic';
import type { EdgeReports } from './step-traffic.ts';

/** Milliseconds that an edge may take to tell what it has counted. */
const PATIENCE = 2_000;

export interface EdgesRead {
  readonly reports: EdgeReports;
  /** Edges that could not be read, and why; for people. */
  readonly unread: readonly string[];
}

/**
 * The same, without the edges that decide by an older snapshot: what they count belongs to what
 * was before.
 */
export function upToDate({ reports, unread }: EdgesRead, snapshot: number): EdgesRead {
  const behind = [...reports].flatMap(([url, report]) =>
    report !== undefined && report.snapshot < snapshot
      ? [`the edge at ${url} (it decides by snapshot ${report.snapshot}, expected ${snapshot})`]
      : [],
  );
  if (behind.length === 0) return { reports, unread };
  return {
    reports: new Map(
      [...reports].map(([url, report]) => [
        url,
        report !== undefined && report.snapshot < snapshot ? undefined : report,
      ]),
    ),
    unread: [...unread, ...behind].toSorted(),
  };
}

/** Asks all edges at once what they have counted. Never rejects. */
export type ReadEdges = () => Promise<EdgesRead>;

/**
 * @param urls of the edges' private ports
 * @param patience milliseconds that an edge may take
 */
export function createReadEdges(urls: readonly string[], patience = PATIENCE): ReadEdges {
  return async () => {
    const reports = new Map<string, TrafficReport | undefined>();
    const unread: string[] = [];
    await Promise.all(
      urls.map(async (url) => {
        try {
          reports.set(url, await readTraffic(url, patience));
        } catch (error) {
          reports.set(url, undefined);
          unread.push(`the edge at ${url} (${reasonOf(error)})`);
        }
      }),
    );
    return { reports, unread: unread.toSorted() };
  };
}

async function readTraffic(url: string, patience: number): Promise<TrafficReport> {
  const response = await fetch(new URL('/v1/traffic', url), {
    signal: AbortSignal.timeout(patience),
    redirect: 'error',
  });
  if (!response.ok) {
    await response.body?.cancel();
    throw new Error(`it answers ${response.status}: is this its private port?`);
  }
  return trafficReportSchema.parse(await response.json());
}

/** The first words of what went wrong; fetch hides the system's in the cause. */
function reasonOf(error: unknown): string {
  const innermost = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (!(innermost instanceof Error)) return String(innermost);
  if (innermost.name === 'ZodError')
    return 'it tells its traffic in another form; is it as new as the API?';
  return innermost.message || innermost.name;
}
