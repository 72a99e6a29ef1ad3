import { createHmac, hash, timingSafeEqual } from 'node:crypto';
import type { VisitorId } from '@turnout/router-core';

/**
 * Request ids that show whom they were given to. A test result may name the request whose page
 * it is about, and no store remembers those: the id itself says, to whoever holds the secret.
 *
 *     0199f5a2-7b3c-7c1e-9a41-d2 0f6c51e97b
 *     └ a UUIDv7 as it was made ┘ └ seal ┘
 *
 * The last 40 of its 74 random bits give way to a seal: the first 40 bits of SHA-256 over key,
 * visitor id and the rest of the request id. The layout stays that of RFC 9562, and 34 random
 * bits in each millisecond keep ids apart.
 *
 * A hash behind a key is enough here, at a fifth of the price of an HMAC: what is hashed always
 * has one length and 40 of 256 bits are shown, so there is nothing to extend. Nor is there much
 * to win: whoever guesses a seal, once in 10¹² tries, has made up a page of their own.
 */
export interface RequestIds {
  /**
   * Seals a request id for a visitor.
   *
   * @param id a UUIDv7 in lower case
   */
  seal(id: string, visitor: VisitorId): string;
  /**
   * Why a request id is not one that was given to the visitor of late; undefined if it is.
   *
   * @param now milliseconds since 1970
   */
  problemOf(id: string, visitor: VisitorId, now: number): 'foreign' | 'expired' | undefined;
}

/** How long a request id stands for its page, in ms. */
export const REQUEST_ID_LIFE = 7 * 86_400_000;
/** How far ahead the clock of the edge that gave it may be, in ms. */
const CLOCKS_APART = 300_000;

const UNSEALED = 'xxxxxxxx-xxxx-7xxx-xxxx-xx'.length;
const SEAL = 10;
const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** @param secrets those of the visitor cookie: the first seals, all verify */
export function createRequestIds(secrets: readonly string[]): RequestIds {
  const keys = secrets.map((secret) =>
    createHmac('sha256', secret).update('turnout request ids').digest('hex'),
  );
  const [sealing = ''] = keys;
  return {
    seal(id, visitor) {
      const unsealed = id.slice(0, UNSEALED);
      return unsealed + sealOf(sealing, visitor, unsealed);
    },
    problemOf(id, visitor, now) {
      if (!UUID_V7.test(id)) return 'foreign';
      const unsealed = id.slice(0, UNSEALED);
      const given = Buffer.from(id.slice(UNSEALED));
      const isOwn = keys.some((key) =>
        timingSafeEqual(Buffer.from(sealOf(key, visitor, unsealed)), given),
      );
      if (!isOwn) return 'foreign';
      const age = now - Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
      return age <= REQUEST_ID_LIFE && age >= -CLOCKS_APART ? undefined : 'expired';
    },
  };
}

function sealOf(key: string, visitor: VisitorId, unsealed: string): string {
  return hash('sha256', key + visitor + unsealed, 'hex').slice(0, SEAL);
}
