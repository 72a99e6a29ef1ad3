import { request } from 'undici';

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

/** What a browser sends when a person opens a page. */
export const NAVIGATION = { accept: 'text/html', 'sec-fetch-mode': 'navigate' } as const;

/**
 * One request with exactly these headers. (The global `fetch` puts Fetch Metadata of its
 * own in their place.) Follows no redirect.
 */
export async function send(
  url: string,
  headers: Readonly<Record<string, string>> = NAVIGATION,
  method: 'GET' | 'HEAD' | 'POST' = 'GET',
  body?: string | Buffer,
): Promise<HttpAnswer> {
  const answer = await request(url, { method, headers, body: body ?? null });
  return {
    status: answer.statusCode,
    headers: answer.headers,
    text: await answer.body.text(),
  };
}

/** The visitor cookie that an answer sets, as a Cookie header. */
export function visitorCookie(answer: HttpAnswer): string | undefined {
  const cookies = [answer.headers['set-cookie'] ?? []].flat();
  return cookies.find((cookie) => cookie.startsWith('turnout='))?.split(';', 1)[0];
}
