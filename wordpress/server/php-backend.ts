import type { IncomingMessage, ServerResponse } from 'node:http';

/** Runs the site's PHP scripts for HTTP requests. */
export interface PhpBackend {
  /** What runs PHP, for the log. */
  readonly description: string;
  /**
   * Answers a request by a script of the document root (`/index.php`). Resolves
   * when the answer is complete or its client gone.
   */
  handle(request: IncomingMessage, response: ServerResponse, script: string): Promise<void>;
  /** Settles, with the reason, when PHP is gone for good without having been closed. */
  readonly lost: Promise<Error>;
  close(): Promise<void>;
}

/**
 * Headers that belong to one connection (RFC 9110 section 7.6.1), or that we
 * set ourselves.
 */
const connectionHeaders = new Set([
  'connection',
  'content-length',
  'expect',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/**
 * A request's headers as PHP may see them, in lower case, one value a name.
 *
 * PHP turns `X-A` and `X_A` alike into HTTP_X_A, so a name with an underscore
 * could pass for a header that the edge sets; and `Proxy` into HTTP_PROXY, which
 * HTTP clients take for their own setting (CVE-2016-5385). Neither gets through.
 */
export function phpRequestHeaders(headers: NodeJS.Dict<string[]>): Record<string, string> {
  const result: Record<string, string> = {};
  for (const [name, values] of Object.entries(headers)) {
    if (!values || connectionHeaders.has(name)) continue;
    if (name === 'proxy' || name === 'x-turnout-script' || !/^[a-z0-9-]+$/.test(name)) continue;
    result[name] = values.join(name === 'cookie' ? '; ' : ', ');
  }
  return result;
}

/** Whether a header of PHP's answer belongs to the answer, and not to PHP's own connection. */
export function isAnswerHeader(name: string): boolean {
  return !connectionHeaders.has(name.toLowerCase()) && !/^(?:x-powered-by|host|date)$/i.test(name);
}

/** Largest request body, in bytes: a photo uploaded in the dashboard fits. */
export const bodyLimit = 32 * 1024 * 1024;

/** The request's body is larger than its limit. */
export class BodyTooLargeError extends Error {
  override readonly name = 'BodyTooLargeError';
}

/**
 * The whole body of a request.
 *
 * @param limit In bytes.
 * @throws {BodyTooLargeError} As soon as more has come, or is announced.
 */
export async function readBody(request: IncomingMessage, limit: number): Promise<Buffer> {
  const tooLarge = () => new BodyTooLargeError(`Expected a body of at most ${limit} bytes.`);
  if (Number(request.headers['content-length'] ?? 0) > limit) throw tooLarge();
  const chunks: Buffer[] = [];
  let size = 0;
  // Without `destroyOnReturn: false`, leaving the loop early would close the
  // connection before the refusal is sent.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    if (!Buffer.isBuffer(chunk)) continue; // No encoding is set: all chunks are bytes.
    size += chunk.length;
    if (size > limit) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
