import { createHmac, createSecretKey, randomFillSync, timingSafeEqual } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { EXPERIMENT_KEY, VARIANT_KEY, isCount, isExperimentKey, isVariantKey } from './keys.ts';

/**
 * The visitor cookie: who the visitor is, and a copy of what was decided for them.
 *
 *     1.<id>.<mirror>.<mac>
 *
 * - `id`: 128 random bits in base64url, 22 characters.
 * - `mirror`: `experiment:variant:phase`, joined by `|`; empty for none. It routes the
 *   visitor when the store has lost them.
 * - `mac`: the first 16 bytes of HMAC-SHA-256 over `1.<id>.<mirror>` in base64url, keyed
 *   with the UTF-8 bytes of the secret.
 *
 * The parts hold no dot, and base64url is accepted in its canonical form only, so one
 * visitor and mirror have one value per secret.
 */

declare const visitorIdBrand: unique symbol;

/** A visitor: 128 bits in canonical base64url, 22 characters. */
export type VisitorId = string & { readonly [visitorIdBrand]: true };

/** One decided assignment, as the cookie repeats it. */
export interface MirrorEntry {
  readonly experiment: string;
  readonly variant: string;
  readonly phase: number;
}

/** Why a cookie that was sent did not count. */
export type CookieRejection = 'oversized' | 'malformed' | 'tampered';

/** What a Cookie header says about its visitor. */
export type CookieReading =
  | {
      readonly status: 'valid';
      readonly id: VisitorId;
      readonly mirror: readonly MirrorEntry[];
      /** Signed by a secret that no longer signs: send the cookie again. */
      readonly stale: boolean;
    }
  | { readonly status: 'absent' }
  | { readonly status: 'rejected'; readonly reason: CookieRejection };

export interface VisitorCookieOptions {
  /** The first signs, all verify. At least 16 characters each. */
  readonly secrets: readonly string[];
  /** Whether the site is served over TLS: names the cookie `__Host-turnout` and marks it Secure. */
  readonly secure: boolean;
  /**
   * Whether a secure site also takes a cookie that was set before it was one, as stale: who
   * changes to https keeps their visitors. A valid one of the new name goes before it. Default: not.
   */
  readonly takesPlain?: boolean;
  /** Seconds, up to 400 days, which is what browsers keep. Default 180 days. */
  readonly maxAge?: number;
  /** How many verified values are remembered, so that a returning visitor costs no HMAC. Default 20,000. */
  readonly cacheSize?: number;
}

export interface VisitorCookie {
  readonly name: 'turnout' | '__Host-turnout';
  /**
   * Reads a Cookie header (several headers joined by `; `). Never throws: a cookie that
   * is not ours, whole and unaltered is no cookie. Of duplicates the first valid one counts.
   */
  read(cookieHeader: string | undefined): CookieReading;
  /** Makes a new visitor. `random` returns 16 bytes. */
  mint(random?: () => Buffer): VisitorId;
  /**
   * The value of a Set-Cookie header. Keeps the last entries that fit.
   *
   * @throws TypeError for an id or an entry that no cookie can hold
   */
  serialise(id: VisitorId, mirror: readonly MirrorEntry[]): string;
}

/** Bytes of a cookie value. A longer one is not ours. */
const MAX_VALUE = 1024;
/** Assignments one cookie repeats. The oldest give way. */
export const MAX_MIRROR_ENTRIES = 16;
/** Cookies of our name looked at in one header, so that 16 KB of forgeries buy few HMACs. */
const MAX_CANDIDATES = 32;
const MAX_AGE_LIMIT = 400 * 86_400;
const DEFAULT_MAX_AGE = 180 * 86_400;
const MIN_SECRET = 16;

// 22 characters carry 132 bits; in the canonical form of 16 bytes the last four are zero.
const BASE64URL_128 = '[A-Za-z0-9_-]{21}[AQgw]';
const MIRROR_ENTRY = `${EXPERIMENT_KEY}:${VARIANT_KEY}:[1-9][0-9]{0,8}`;
const VALUE = new RegExp(
  `^(1\\.(${BASE64URL_128})\\.((?:${MIRROR_ENTRY}(?:\\|${MIRROR_ENTRY})*)?))\\.(${BASE64URL_128})$`,
);
const VISITOR_ID = new RegExp(`^${BASE64URL_128}$`);

/** Tells whether a text has the form of a visitor id. */
export function isVisitorId(text: string): text is VisitorId {
  return VISITOR_ID.test(text);
}

/**
 * A text as a visitor id.
 *
 * @throws TypeError for anything but 22 characters of canonical base64url
 */
export function visitorId(text: string): VisitorId {
  if (isVisitorId(text)) return text;
  throw new TypeError(`Expected a visitor id of 22 base64url characters, got "${text}"`);
}

/**
 * The mirror with one entry set. Returns the very same array when nothing changes, so
 * that `===` tells whether the cookie has to be sent again.
 */
export function withMirrorEntry(
  mirror: readonly MirrorEntry[],
  entry: MirrorEntry,
): readonly MirrorEntry[] {
  const known = mirror.find(({ experiment }) => experiment === entry.experiment);
  if (known?.variant === entry.variant && known.phase === entry.phase) return mirror;
  return [...mirror.filter((other) => other !== known), entry].slice(-MAX_MIRROR_ENTRIES);
}

/**
 * Makes the reader and writer of visitor cookies.
 *
 * @throws TypeError for no secret, a secret under 16 characters, or a `maxAge` out of range
 */
export function createVisitorCookie(options: VisitorCookieOptions): VisitorCookie {
  const {
    secrets,
    secure,
    takesPlain = false,
    maxAge = DEFAULT_MAX_AGE,
    cacheSize = 20_000,
  } = options;
  if (!Number.isInteger(maxAge) || maxAge < 1 || maxAge > MAX_AGE_LIMIT) {
    throw new TypeError(
      `Expected the cookie's maxAge to be 1 to ${MAX_AGE_LIMIT} seconds (400 days), got ${maxAge}`,
    );
  }
  const short = secrets.findIndex((secret) => secret.length < MIN_SECRET);
  if (short !== -1) {
    throw new TypeError(
      `Expected each cookie secret to have at least ${MIN_SECRET} characters, but number ${short + 1} is shorter; \`openssl rand -base64 32\` makes a good one`,
    );
  }
  const keys = secrets.map((secret) => createSecretKey(Buffer.from(secret, 'utf8')));
  const signingKey = keys[0];
  if (signingKey === undefined) {
    throw new TypeError('Expected at least one cookie secret, got none');
  }

  const name = secure ? '__Host-turnout' : 'turnout';
  const names = secure && takesPlain ? [name, 'turnout'] : [name];
  const attributes = `; Max-Age=${maxAge}; Path=/; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`;
  // Only values that verified are kept: forgeries must not push visitors out.
  const verified = new LRUCache<string, CookieReading & { status: 'valid' }>({ max: cacheSize });

  function verify(value: string): CookieReading {
    if (value.length > MAX_VALUE) return { status: 'rejected', reason: 'oversized' };
    const known = verified.get(value);
    if (known !== undefined) return known;
    const [, signed, id, mirrorText, mac] = VALUE.exec(value) ?? [];
    if (signed === undefined || id === undefined || mirrorText === undefined || mac === undefined) {
      return { status: 'rejected', reason: 'malformed' };
    }
    const given = Buffer.from(mac, 'base64url');
    const signer = keys.findIndex((key) => timingSafeEqual(macOf(key, signed), given));
    if (signer === -1) return { status: 'rejected', reason: 'tampered' };
    const mirror = parseMirror(mirrorText);
    if (mirror === undefined) return { status: 'rejected', reason: 'malformed' };
    const reading = { status: 'valid', id: visitorId(id), mirror, stale: signer > 0 } as const;
    verified.set(value, reading);
    return reading;
  }

  return {
    name,
    read(cookieHeader) {
      let first: CookieReading = { status: 'absent' };
      if (cookieHeader === undefined) return first;
      let candidates = 0;
      for (const known of names) {
        for (const value of valuesOf(cookieHeader, known)) {
          const reading = verify(value);
          if (reading.status === 'valid') {
            return known === name ? reading : { ...reading, stale: true };
          }
          if (first.status === 'absent') first = reading;
          candidates += 1;
          if (candidates === MAX_CANDIDATES) return first;
        }
      }
      return first;
    },
    mint(random = pooledRandom) {
      const bytes = random();
      if (bytes.length !== 16) {
        throw new TypeError(`Expected 16 random bytes for a visitor id, got ${bytes.length}`);
      }
      return visitorId(bytes.toString('base64url'));
    },
    serialise(id, mirror) {
      const signed = `1.${visitorId(id)}.${joinMirror(mirror)}`;
      return `${name}=${signed}.${macOf(signingKey, signed).toString('base64url')}${attributes}`;
    },
  };
}

// One call into OpenSSL costs some 4 µs, whether for 16 bytes or for 4 KB: 256 ids share it.
const pool = Buffer.alloc(4_096);
let poolUsed = pool.length;

/** 16 random bytes, valid until the pool is filled again: `mint` turns them into text at once. */
function pooledRandom(): Buffer {
  if (poolUsed === pool.length) {
    randomFillSync(pool);
    poolUsed = 0;
  }
  poolUsed += 16;
  return pool.subarray(poolUsed - 16, poolUsed);
}

function macOf(key: KeyObject, signed: string): Buffer {
  return createHmac('sha256', key).update(signed).digest().subarray(0, 16);
}

/** Yields the values of one cookie name, in the order of the header (RFC 6265, 4.2.1). */
function* valuesOf(header: string, name: string): Generator<string> {
  const prefix = `${name}=`;
  let start = 0;
  while (start < header.length) {
    const semicolon = header.indexOf(';', start);
    const end = semicolon === -1 ? header.length : semicolon;
    const pair = header.slice(start, end).trim();
    if (pair.startsWith(prefix)) yield pair.slice(prefix.length);
    start = end + 1;
  }
}

function parseMirror(text: string): readonly MirrorEntry[] | undefined {
  if (text === '') return [];
  const entries = text.split('|').map((part) => {
    const [experiment = '', variant = '', phase = ''] = part.split(':');
    return { experiment, variant, phase: Number(phase) };
  });
  const experiments = new Set(entries.map(({ experiment }) => experiment));
  if (entries.length > MAX_MIRROR_ENTRIES || experiments.size < entries.length) return undefined;
  return entries;
}

function joinMirror(mirror: readonly MirrorEntry[]): string {
  // What the value holds beside the mirror: "1.", the id, two dots, the mac.
  let room = MAX_VALUE - 2 - 22 - 2 - 22;
  const kept: string[] = [];
  const seen = new Set<string>();
  for (const { experiment, variant, phase } of mirror.toReversed()) {
    if (!isExperimentKey(experiment) || !isVariantKey(variant) || !isCount(phase)) {
      throw new TypeError(
        `Expected a mirror entry of an experiment's key, a variant's and a phase from 1, got "${experiment}:${variant}:${phase}"`,
      );
    }
    const entry = `${experiment}:${variant}:${phase}`;
    if (seen.has(experiment)) continue;
    if (kept.length === MAX_MIRROR_ENTRIES || entry.length + 1 > room) break;
    seen.add(experiment);
    room -= entry.length + 1;
    kept.unshift(entry);
  }
  return kept.join('|');
}
