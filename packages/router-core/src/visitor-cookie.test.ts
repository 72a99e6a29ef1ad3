import { createHmac } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import cases from '../../../test/cases/visitor-cookie.json' with { type: 'json' };
import { createVisitorCookie, visitorId, withMirrorEntry } from './visitor-cookie.ts';
import type { MirrorEntry } from './visitor-cookie.ts';

const SECRET = 'correct-horse-battery-staple';
const OLDER = 'an-older-secret-of-the-edge';
const cookie = createVisitorCookie({ secrets: [SECRET], secure: false });
const ID = visitorId('AAECAwQFBgcICQoLDA0ODw');

/** The name=value pair of a Set-Cookie value, as a client sends it back. */
function sentBack(setCookie: string): string {
  return setCookie.slice(0, setCookie.indexOf(';'));
}

const ids = fc
  .uint8Array({ minLength: 16, maxLength: 16 })
  .map((bytes) => visitorId(Buffer.from(bytes).toString('base64url')));
const mirrors = fc.uniqueArray(
  fc.record({
    experiment: fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,19}$/),
    variant: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_-]{0,19}$/),
    phase: fc.integer({ min: 1, max: 999_999_999 }),
  }),
  { maxLength: 16, selector: ({ experiment }) => experiment },
);

describe('case table', () => {
  test.each(cases.valid)('makes and reads $value', ({ secret, id, mirror, value }) => {
    const own = createVisitorCookie({ secrets: [secret], secure: false });
    expect(sentBack(own.serialise(visitorId(id), mirror))).toBe(`turnout=${value}`);
    expect(own.read(`turnout=${value}`)).toEqual({ status: 'valid', id, mirror, stale: false });
  });

  test.each(cases.rejected)('refuses: $why', ({ secrets, value, reason }) => {
    const own = createVisitorCookie({ secrets, secure: false });
    expect(own.read(`turnout=${value}`)).toEqual({ status: 'rejected', reason });
  });

  test.each(cases.headers)(
    'reads a header: $why',
    ({ secrets, secure, header, expect: wanted }) => {
      const reading = createVisitorCookie({ secrets, secure }).read(header);
      expect(reading).toMatchObject(wanted);
    },
  );
});

describe('read', () => {
  test('gives back any visitor and mirror that was serialised', () => {
    fc.assert(
      fc.property(ids, mirrors, (id, mirror) => {
        const header = sentBack(cookie.serialise(id, mirror));
        const expected = { status: 'valid', id, mirror, stale: false };
        expect(cookie.read(header)).toEqual(expected);
        // Once more, from the memory of verified values.
        expect(cookie.read(`other=1; ${header}; more=2`)).toEqual(expected);
      }),
    );
  });

  test('refuses a value with any one character changed, taken out or put in', () => {
    fc.assert(
      fc.property(
        ids,
        mirrors,
        fc.nat(),
        fc.integer({ min: 0x21, max: 0x7e }),
        fc.constantFrom(0, 1),
        (id, mirror, pick, code, taken) => {
          const pair = sentBack(cookie.serialise(id, mirror));
          const value = pair.slice('turnout='.length);
          const at = pick % value.length;
          const changed = value.slice(0, at) + String.fromCharCode(code) + value.slice(at + taken);
          fc.pre(changed !== value && !changed.includes(';'));
          expect(cookie.read(`turnout=${changed}`).status).toBe('rejected');
          const shorter = value.slice(0, at) + value.slice(at + 1);
          expect(cookie.read(`turnout=${shorter}`).status).toBe('rejected');
        },
      ),
      { numRuns: 2_000 },
    );
  });

  test('refuses every change of every single byte of one value', () => {
    const value = sentBack(
      cookie.serialise(ID, [{ experiment: 'home', variant: 'A', phase: 1 }]),
    ).slice('turnout='.length);
    for (let at = 0; at < value.length; at += 1) {
      for (let code = 0; code <= 0xff; code += 1) {
        const byte = String.fromCharCode(code);
        if (byte === value[at]) continue;
        const header = `turnout=${value.slice(0, at)}${byte}${value.slice(at + 1)}`;
        // A space or a semicolon at either end belongs to the header, not to the value.
        expect(cookie.read(header).status).toBe('rejected');
      }
    }
  });

  test('never throws, whatever the header', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(cookie.read(text).status).toBe('absent');
        expect(['absent', 'rejected']).toContain(cookie.read(`turnout=${text}`).status);
      }),
    );
  });

  test('knows the visitor of an older secret, and says that it is stale', () => {
    const old = createVisitorCookie({ secrets: [OLDER], secure: false });
    const rotated = createVisitorCookie({ secrets: [SECRET, OLDER], secure: false });
    const header = sentBack(old.serialise(ID, []));
    expect(rotated.read(header)).toEqual({ status: 'valid', id: ID, mirror: [], stale: true });
    expect(rotated.read(sentBack(rotated.serialise(ID, [])))).toMatchObject({ stale: false });
    expect(cookie.read(header)).toEqual({ status: 'rejected', reason: 'tampered' });
  });

  test('gives up on a header stuffed with forgeries', () => {
    const forged = `turnout=1.${ID}..${'A'.repeat(22)}; `;
    const valid = sentBack(cookie.serialise(ID, []));
    expect(cookie.read(forged.repeat(31) + valid).status).toBe('valid');
    expect(cookie.read(forged.repeat(32) + valid).status).toBe('rejected');
  });

  test('does not let a forgery into the memory of verified values', () => {
    const small = createVisitorCookie({ secrets: [SECRET], secure: false, cacheSize: 1 });
    const valid = sentBack(small.serialise(ID, []));
    const forged = `turnout=1.${ID}..${'A'.repeat(22)}`;
    for (const header of [valid, forged, valid, forged]) {
      expect(small.read(header).status).toBe(header === valid ? 'valid' : 'rejected');
    }
  });
});

describe('serialise', () => {
  test('sets the attributes of the design', () => {
    const { value } = cases.valid[0] ?? { value: '' };
    const id = visitorId(cases.valid[0]?.id ?? '');
    const plain = createVisitorCookie({ secrets: [SECRET], secure: false });
    expect(plain.serialise(id, [])).toBe(
      `turnout=${value}; Max-Age=15552000; Path=/; HttpOnly; SameSite=Lax`,
    );
    const secure = createVisitorCookie({ secrets: [SECRET], secure: true, maxAge: 60 });
    expect(secure.serialise(id, [])).toBe(
      `__Host-turnout=${value}; Max-Age=60; Path=/; HttpOnly; SameSite=Lax; Secure`,
    );
  });

  test('keeps the last entries that fit, and stays readable', () => {
    const many = Array.from({ length: 40 }, (_, index): MirrorEntry => {
      return { experiment: `e${index}`, variant: 'A', phase: 1 };
    });
    expect(cookie.read(sentBack(cookie.serialise(ID, many)))).toMatchObject({
      status: 'valid',
      mirror: many.slice(-16),
    });
    const long = Array.from({ length: 16 }, (_, index): MirrorEntry => {
      return {
        experiment: `e${index}`.padEnd(64, 'x'),
        variant: 'V'.repeat(64),
        phase: 999_999_999,
      };
    });
    const header = sentBack(cookie.serialise(ID, long));
    expect(header.length).toBeLessThanOrEqual('turnout='.length + 1024);
    expect(cookie.read(header)).toMatchObject({ status: 'valid', mirror: long.slice(-7 + 1) });
  });

  test.each([
    [{ experiment: 'Home', variant: 'A', phase: 1 }],
    [{ experiment: 'home', variant: 'A|B', phase: 1 }],
    [{ experiment: 'home', variant: 'A', phase: 0 }],
    [{ experiment: 'home', variant: 'A', phase: 1.5 }],
    [{ experiment: 'home; Domain=example.com', variant: 'A', phase: 1 }],
  ])('refuses the entry %j', (entry) => {
    expect(() => cookie.serialise(ID, [entry])).toThrow(TypeError);
  });
});

describe('mint', () => {
  test('makes an id of the bytes given', () => {
    const bytes = Buffer.from(ID, 'base64url');
    expect(cookie.mint(() => bytes)).toBe(ID);
    expect(() => cookie.mint(() => bytes.subarray(1))).toThrow('Expected 16 random bytes');
  });

  test('makes ids that differ', () => {
    const minted = new Set(Array.from({ length: 1_000 }, () => cookie.mint()));
    expect(minted.size).toBe(1_000);
    for (const id of minted) expect(id).toMatch(/^[A-Za-z0-9_-]{21}[AQgw]$/);
  });
});

describe('withMirrorEntry', () => {
  const entry: MirrorEntry = { experiment: 'home', variant: 'A', phase: 1 };

  test('gives the same array back when nothing changes', () => {
    const mirror = [entry];
    expect(withMirrorEntry(mirror, { ...entry })).toBe(mirror);
  });

  test('replaces the entry of the experiment, and adds one', () => {
    const other = { ...entry, experiment: 'price' };
    expect(withMirrorEntry([entry, other], { ...entry, phase: 2 })).toEqual([
      other,
      { ...entry, phase: 2 },
    ]);
    expect(withMirrorEntry([entry], other)).toEqual([entry, other]);
  });
});

describe('options', () => {
  test.each([
    [{ secrets: [], secure: true }, 'Expected at least one cookie secret, got none'],
    [{ secrets: [SECRET, 'short'], secure: true }, 'number 2 is shorter'],
    [{ secrets: [SECRET], secure: true, maxAge: 401 * 86_400 }, 'got 34646400'],
    [{ secrets: [SECRET], secure: true, maxAge: 0 }, 'got 0'],
  ])('refuses %j', (options, message) => {
    expect(() => createVisitorCookie(options)).toThrow(message);
  });

  test('never show a secret', () => {
    expect(() => createVisitorCookie({ secrets: ['hunter2'], secure: true })).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('hunter2') }),
    );
  });

  test('sign with the UTF-8 bytes of the secret', () => {
    const secret = 'schlüssel-äöü-schlüssel';
    const own = createVisitorCookie({ secrets: [secret], secure: false });
    const mac = createHmac('sha256', Buffer.from(secret)).update(`1.${ID}.`).digest();
    const value = `1.${ID}..${mac.subarray(0, 16).toString('base64url')}`;
    expect(own.read(`turnout=${value}`).status).toBe('valid');
  });
});
