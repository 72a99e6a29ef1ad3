import { Pool } from 'undici';

/** One visitor, as a browser would be to the edge: it keeps the cookie that it was given. */
export interface TestVisitor {
  cookie: string | undefined;
  /** Who served the last page: the body of a light upstream, or a page's `data-frontend`. */
  served: string;
}

export interface Crowd {
  /** Opens a page as the visitor. @throws {Error} for any status but 200 */
  visit(visitor: TestVisitor, path?: string): Promise<string>;
  /** Runs `work` for each visitor, as many at a time as there are connections. */
  each(
    visitors: readonly TestVisitor[],
    work: (visitor: TestVisitor) => Promise<void>,
  ): Promise<void>;
  close(): Promise<void>;
}

export function newVisitors(count: number): TestVisitor[] {
  return Array.from({ length: count }, () => ({ cookie: undefined, served: '' }));
}

/** @param url the edge */
export function createCrowd(url: string, connections = 32): Crowd {
  const pool = new Pool(url, { connections, bodyTimeout: 60_000, headersTimeout: 60_000 });
  return {
    async visit(visitor, path = '/') {
      const { statusCode, headers, body } = await pool.request({
        method: 'GET',
        path,
        headers: {
          accept: 'text/html',
          'sec-fetch-mode': 'navigate',
          ...(visitor.cookie !== undefined && { cookie: visitor.cookie }),
        },
      });
      const text = await body.text();
      if (statusCode !== 200) throw new Error(`GET ${path}: ${statusCode} ${text.slice(0, 300)}`);
      const cookies = [headers['set-cookie'] ?? []].flat();
      const own = cookies.find((cookie) => cookie.startsWith('turnout='));
      if (own !== undefined) visitor.cookie = own.split(';', 1)[0];
      visitor.served = /data-frontend="(\w+)"/.exec(text)?.[1] ?? text;
      return visitor.served;
    },
    async each(visitors, work) {
      const waiting = visitors.values();
      await Promise.all(
        Array.from({ length: connections }, async () => {
          for (const visitor of waiting) await work(visitor);
        }),
      );
    },
    close: () => pool.close(),
  };
}

/**
 * The probability of a split at least this far from `shares`, if visitors are put
 * into three groups at random by them: Pearson's χ² with two degrees of freedom,
 * whose survival function is exactly e^(−χ²/2).
 */
export function splitProbability(
  counts: readonly [number, number, number],
  shares: readonly [number, number, number],
): number {
  const total = counts[0] + counts[1] + counts[2];
  const chiSquare = counts.reduce((sum, count, index) => {
    const expected = total * (shares[index] ?? 0);
    return sum + (count - expected) ** 2 / expected;
  }, 0);
  return Math.exp(-chiSquare / 2);
}
