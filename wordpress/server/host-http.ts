/** Largest answer that PHP gets, in characters. */
const answerLimit = 1024 * 1024;

/** An HTTP request that PHP asks this process to make. */
interface HostRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly body: string | null;
  /** Seconds. */
  readonly timeout: number;
}

/**
 * Makes an HTTP request for the embedded PHP (see http-through-host.php), to
 * the servers of this site and nowhere else.
 *
 * @param message The request as JSON.
 * @param servers URLs whose origins are allowed.
 * @returns JSON: `{status, headers, body}`, or `{error}`. Never rejects.
 */
export async function makeHostRequest(
  message: string,
  servers: readonly string[],
): Promise<string> {
  try {
    const request: unknown = JSON.parse(message);
    if (!isHostRequest(request)) throw new Error('Expected an HTTP request as JSON.');
    const origin = URL.parse(request.url)?.origin;
    if (!servers.some((server) => new URL(server).origin === origin)) {
      throw new Error(`This site calls ${servers.join(' and ')} only, not ${request.url}.`);
    }
    const answer = await fetch(request.url, {
      method: request.method,
      headers: request.headers,
      body: request.body || null,
      redirect: 'manual',
      signal: AbortSignal.timeout(request.timeout * 1000),
    });
    const body = await answer.text();
    if (body.length > answerLimit) throw new Error(`The answer of ${request.url} is too long.`);
    return JSON.stringify({
      status: answer.status,
      headers: Object.fromEntries(answer.headers),
      body,
    });
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    return JSON.stringify({ error: cause instanceof Error ? cause.message : String(cause) });
  }
}

function isHostRequest(value: unknown): value is HostRequest {
  return (
    typeof value === 'object' &&
    value !== null &&
    'method' in value &&
    typeof value.method === 'string' &&
    'url' in value &&
    typeof value.url === 'string' &&
    'headers' in value &&
    typeof value.headers === 'object' &&
    'body' in value &&
    (value.body === null || typeof value.body === 'string') &&
    'timeout' in value &&
    typeof value.timeout === 'number'
  );
}
