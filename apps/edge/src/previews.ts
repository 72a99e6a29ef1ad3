import { readPreview, type Preview } from '@turnout/router-core';
import { LRUCache } from 'lru-cache';

/** The cookie that a preview link sets: the token itself. */
const PREVIEW_COOKIE = 'turnout-preview';

/** Reads preview tokens, from links and from the cookie that a link sets. */
export interface Previews {
  /** What the token of a link says; undefined for one that is not ours or is over. */
  read(token: string): Preview | undefined;
  /** What the holder of a Cookie header previews. */
  of(cookieHeader: string | undefined): Preview | undefined;
}

/** Cookies of our name looked at in one header, so that 30 KB of forgeries buy few HMACs. */
const MAX_CANDIDATES = 8;

/** Verified tokens that are remembered, so that a page with a hundred assets costs one HMAC. */
const REMEMBERED = 1_000;

/** @param now milliseconds since 1970 */
export function createPreviews(secrets: readonly string[], now: () => number): Previews {
  const verified = new LRUCache<string, Preview>({ max: REMEMBERED });
  const read = (token: string): Preview | undefined => {
    const known = verified.get(token);
    if (known !== undefined) return known.expires * 1_000 > now() ? known : undefined;
    const reading = readPreview(token, secrets, now());
    if (reading.status !== 'valid') return undefined;
    verified.set(token, reading.preview);
    return reading.preview;
  };
  return {
    read,
    of(cookieHeader) {
      // Almost no request has the cookie.
      if (cookieHeader === undefined || !cookieHeader.includes(`${PREVIEW_COOKIE}=`)) {
        return undefined;
      }
      let candidates = 0;
      for (const pair of cookieHeader.split(';')) {
        const [name = '', value = ''] = pair.trim().split('=', 2);
        if (name !== PREVIEW_COOKIE) continue;
        const preview = read(value);
        if (preview !== undefined) return preview;
        candidates += 1;
        if (candidates === MAX_CANDIDATES) break;
      }
      return undefined;
    },
  };
}

/**
 * Sets the preview cookie, for as long as the token holds.
 *
 * @param secure whether its holder came by https
 */
export function previewCookie(
  token: string,
  { expires }: Preview,
  now: number,
  secure: boolean,
): string {
  const maxAge = Math.max(0, Math.floor(expires - now / 1_000));
  return `${PREVIEW_COOKIE}=${token}; Max-Age=${maxAge}; Path=/; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`;
}

/** Takes the preview cookie back. */
export const NO_PREVIEW_COOKIE = `${PREVIEW_COOKIE}=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax`;
