import type { IncomingMessage } from 'node:http';

/** A form body that is not read, with the HTTP status that says why. */
export class FormBodyError extends Error {
  readonly status: 400 | 413 | 415;

  constructor(status: 400 | 413 | 415, message: string) {
    super(message);
    this.name = 'FormBodyError';
    this.status = status;
  }
}

/**
 * Reads an `application/x-www-form-urlencoded` body of at most `limit` bytes.
 * @throws FormBodyError 415 for another content type, 413 for more bytes, 400 for a body that
 *   is cut off or is not UTF-8
 */
export async function readFormBody(
  request: IncomingMessage,
  limit: number,
): Promise<URLSearchParams> {
  const type = (request.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase();
  if (type !== 'application/x-www-form-urlencoded') {
    throw new FormBodyError(415, 'Expected a form (application/x-www-form-urlencoded).');
  }
  const tooLarge = new FormBodyError(413, `Expected a form of at most ${limit} bytes.`);
  if (Number(request.headers['content-length'] ?? 0) > limit) throw tooLarge;
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    // The iterator must not destroy the socket when it is left early: the answer needs it.
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      const bytes: Buffer = chunk;
      size += bytes.length;
      if (size > limit) throw tooLarge;
      chunks.push(bytes);
    }
    const text = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
    return new URLSearchParams(text);
  } catch (error) {
    if (error instanceof FormBodyError) throw error;
    throw new FormBodyError(400, 'Expected a whole form in UTF-8.');
  }
}
