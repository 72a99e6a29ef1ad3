import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';

export type ContentEncoding = 'br' | 'gzip';

/** Under this many bytes a page gains nothing. */
const WORTHWHILE_BYTES = 1024;
/** Brotli's quality where a page costs about as much time as gzip's default, and is smaller. */
const BROTLI_QUALITY = 4;

const brotli = promisify(brotliCompress);
const gzipped = promisify(gzip);

/** The best encoding that an Accept-Encoding header allows (RFC 9110, section 12.5.3). */
export function acceptedEncoding(header: string | undefined): ContentEncoding | null {
  const allowed = new Map<string, boolean>();
  for (const item of (header ?? '').toLowerCase().split(',')) {
    const [coding = '', ...parameters] = item.split(';').map((part) => part.trim());
    allowed.set(coding, !parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter)));
  }
  if (allowed.get('br') === true) return 'br';
  return allowed.get('gzip') === true ? 'gzip' : null;
}

/** Compresses off the event loop. Null when the body is sent as it is. */
export async function encodeBody(
  body: Buffer,
  encoding: ContentEncoding | null,
): Promise<Buffer | null> {
  if (encoding === null || body.length < WORTHWHILE_BYTES) return null;
  if (encoding === 'gzip') return await gzipped(body);
  return await brotli(body, { params: { [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY } });
}
