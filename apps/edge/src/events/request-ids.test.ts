import { randomUUIDv7 } from 'node:crypto';
import { visitorId } from '@turnout/router-core';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { REQUEST_ID_LIFE, createRequestIds } from './request-ids.ts';

const SECRETS = ['a-secret-of-this-test-alone', 'another-secret-of-this-test'];
const MINUTE = 60_000;
const ids = createRequestIds(SECRETS);

const visitors = fc
  .uint8Array({ minLength: 16, maxLength: 16 })
  .map((bytes) => visitorId(Buffer.from(bytes).toString('base64url')));
/** As it was made at any time in the next thousand years. */
const made = fc
  .tuple(
    fc.integer({ min: 0, max: 32_000_000_000_000 }),
    fc.uint8Array({ minLength: 10, maxLength: 10 }),
  )
  .map(([time, random]) => {
    const [a, b, c] = [Buffer.from(random).toString('hex'), '7', '89ab'[(random[0] ?? 0) % 4]];
    const clock = time.toString(16).padStart(12, '0');
    const id = `${clock.slice(0, 8)}-${clock.slice(8)}-${b}${a.slice(0, 3)}-${c}${a.slice(3, 6)}-${a.slice(6, 18)}`;
    return { time, id };
  });

test('a sealed id is a UUIDv7 of the same moment, and its visitor’s own', () => {
  const uuidV7 = z.uuidv7();
  fc.assert(
    fc.property(
      visitors,
      made,
      fc.integer({ min: 0, max: REQUEST_ID_LIFE }),
      (visitor, { time, id }, age) => {
        const sealed = ids.seal(id, visitor);
        expect(uuidV7.safeParse(sealed).success).toBe(true);
        expect(sealed.slice(0, 26)).toBe(id.slice(0, 26));
        expect(ids.problemOf(sealed, visitor, time + age)).toBeUndefined();
      },
    ),
  );
});

test('node’s own ids can be sealed', () => {
  const visitor = visitorId('AAAAAAAAAAAAAAAAAAAAAA');
  expect(ids.problemOf(ids.seal(randomUUIDv7(), visitor), visitor, Date.now())).toBeUndefined();
});

describe('refused is the id', () => {
  test('that another visitor was given', () => {
    fc.assert(
      fc.property(visitors, visitors, made, (visitor, other, { time, id }) => {
        fc.pre(visitor !== other);
        expect(ids.problemOf(ids.seal(id, other), visitor, time)).toBe('foreign');
      }),
    );
  });

  test('that was never sealed, or by others', () => {
    const theirs = createRequestIds(['a-secret-of-somebody-else']);
    fc.assert(
      fc.property(visitors, made, (visitor, { time, id }) => {
        fc.pre(ids.seal(id, visitor) !== id);
        expect(ids.problemOf(id, visitor, time)).toBe('foreign');
        expect(ids.problemOf(theirs.seal(id, visitor), visitor, time)).toBe('foreign');
      }),
    );
  });

  test('of which any digit was changed', () => {
    fc.assert(
      fc.property(visitors, made, fc.nat(35), fc.nat(15), (visitor, { time, id }, at, digit) => {
        const sealed = ids.seal(id, visitor);
        const tampered = sealed.slice(0, at) + digit.toString(16) + sealed.slice(at + 1);
        fc.pre(tampered !== sealed);
        expect(ids.problemOf(tampered, visitor, time)).toBe('foreign');
      }),
    );
  });

  test('that is no id at all', () => {
    fc.assert(
      fc.property(visitors, fc.string(), (visitor, text) => {
        expect(ids.problemOf(text, visitor, 0)).toBe('foreign');
        // Not even with a seal that fits.
        expect(ids.problemOf(ids.seal(text, visitor), visitor, 0)).toBe('foreign');
      }),
    );
  });

  test('that is too old, or of a time to come', () => {
    fc.assert(
      fc.property(visitors, made, fc.nat(10 * REQUEST_ID_LIFE), (visitor, { time, id }, more) => {
        const sealed = ids.seal(id, visitor);
        expect(ids.problemOf(sealed, visitor, time + REQUEST_ID_LIFE + 1 + more)).toBe('expired');
        expect(ids.problemOf(sealed, visitor, time - 5 * MINUTE - 1 - more)).toBe('expired');
        expect(ids.problemOf(sealed, visitor, time - 5 * MINUTE)).toBeUndefined();
      }),
    );
  });
});

test('an id that an old secret sealed is known while that secret verifies', () => {
  const visitor = visitorId('AAAAAAAAAAAAAAAAAAAAAA');
  const [, old = ''] = SECRETS;
  const sealed = createRequestIds([old]).seal(randomUUIDv7(), visitor);
  expect(ids.problemOf(sealed, visitor, Date.now())).toBeUndefined();
  expect(createRequestIds(SECRETS.slice(0, 1)).problemOf(sealed, visitor, Date.now())).toBe(
    'foreign',
  );
});
