import { createHmac, timingSafeEqual } from 'node:crypto';
import { EXPERIMENT_KEY, VARIANT_KEY } from './keys.ts';

/**
 * Preview tokens: whoever holds one sees a variant, and is not counted.
 *
 *     p1.<experiment>:<variant>.<expires>.<path>.<mac>
 *
 * `expires` is seconds since 1970, `path` the address to open in base64url, `mac` the first 16
 * bytes of HMAC-SHA-256 over all before it in base64url. The first part tells it from a visitor
 * cookie, which the same secrets sign: neither can pass for the other.
 */

export interface Preview {
  readonly experiment: string;
  readonly variant: string;
  /** Seconds since 1970. */
  readonly expires: number;
  /** Where its link leads: a path with its query. */
  readonly path: string;
}

export type PreviewReading =
  | { readonly status: 'valid'; readonly preview: Preview }
  | { readonly status: 'expired'; readonly preview: Preview }
  | { readonly status: 'rejected' };

const TOKEN = new RegExp(
  `^(p1\\.(${EXPERIMENT_KEY}):(${VARIANT_KEY})\\.([1-9][0-9]{0,11})\\.([A-Za-z0-9_-]{1,1400}))\\.([A-Za-z0-9_-]{22})$`,
);

/** Tells whether a text is the path of an address on this site: `//host` and `/\host` lead elsewhere. */
export function isLocalPath(path: string): boolean {
  return /^\/(?![/\\])[\x21-\x7e]*$/.test(path) && !path.includes('\\');
}

/**
 * Signs a preview.
 *
 * @throws TypeError for keys or a path that no token can hold
 */
export function signPreview(
  { experiment, variant, expires, path }: Preview,
  secret: string,
): string {
  if (!isLocalPath(path)) {
    throw new TypeError(`Expected the path of a page of this site, such as /plans, got "${path}"`);
  }
  const encoded = Buffer.from(path, 'latin1').toString('base64url');
  const signed = `p1.${experiment}:${variant}.${expires}.${encoded}`;
  const token = `${signed}.${macOf(secret, signed)}`;
  if (TOKEN.test(token)) return token;
  throw new TypeError(
    `Expected an experiment's key, a variant's, whole seconds since 1970 and a path of at most 1,000 characters, got "${experiment}:${variant}", ${expires} and ${path.length} characters`,
  );
}

/**
 * Reads a token; anything but one of ours, whole and unaltered, is rejected.
 *
 * @param secrets any of them may have signed
 * @param now milliseconds since 1970
 */
export function readPreview(
  token: string,
  secrets: readonly string[],
  now: number,
): PreviewReading {
  const [, signed = '', experiment = '', variant = '', expires, encoded = '', mac = ''] =
    TOKEN.exec(token) ?? [];
  // What has not the form of a token costs no HMAC.
  const isSigned = signed !== '' && secrets.some((secret) => isEqual(mac, macOf(secret, signed)));
  if (!isSigned) return { status: 'rejected' };
  const path = Buffer.from(encoded, 'base64url').toString('latin1');
  const preview = { experiment, variant, expires: Number(expires), path };
  return { status: preview.expires * 1_000 > now ? 'valid' : 'expired', preview };
}

function macOf(secret: string, signed: string): string {
  return createHmac('sha256', secret).update(signed).digest().subarray(0, 16).toString('base64url');
}

function isEqual(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}
