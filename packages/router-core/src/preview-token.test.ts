import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isLocalPath, readPreview, signPreview } from './preview-token.ts';
import { createVisitorCookie } from './visitor-cookie.ts';

const SECRETS = ['the-first-of-the-secrets', 'an-older-secret-of-ours'];
const [SECRET = ''] = SECRETS;
const preview = { experiment: 'home', variant: 'B', expires: 2_000, path: '/plans?x=1' };

test('what was signed is read, until it ends', () => {
  const token = signPreview(preview, SECRET);
  expect(readPreview(token, SECRETS, 1_999_999)).toEqual({ status: 'valid', preview });
  expect(readPreview(token, SECRETS, 2_000_000)).toEqual({ status: 'expired', preview });
});

test('an older secret still verifies; a foreign one does not', () => {
  const token = signPreview(preview, SECRETS[1] ?? '');
  expect(readPreview(token, SECRETS, 0).status).toBe('valid');
  expect(readPreview(token, ['a-secret-of-somebody-else'], 0).status).toBe('rejected');
});

test('no character of it can be changed', () => {
  const token = signPreview(preview, SECRET);
  fc.assert(
    fc.property(
      fc.nat(token.length - 1),
      fc.string({ minLength: 1, maxLength: 1 }),
      (at, other) => {
        fc.pre(token[at] !== other);
        const changed = token.slice(0, at) + other + token.slice(at + 1);
        const reading = readPreview(changed, SECRETS, 0);
        expect(reading.status).toBe('rejected');
      },
    ),
  );
});

test('garbage is rejected and never throws', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(readPreview(text, SECRETS, 0).status).toBe('rejected');
    }),
  );
});

test('it is no visitor cookie, and a visitor cookie is no preview', () => {
  const cookies = createVisitorCookie({ secrets: SECRETS, secure: false });
  const token = signPreview(preview, SECRET);
  expect(cookies.read(`turnout=${token}`).status).toBe('rejected');
  const value = cookies.serialise(cookies.mint(), []).split(/[=;]/)[1] ?? '';
  expect(readPreview(value, SECRETS, 0).status).toBe('rejected');
});

describe('a path', () => {
  test.each(['/', '/plans', '/plans?a=b&c=%20', '/a:b'])('%s is of this site', (path) => {
    expect(isLocalPath(path)).toBe(true);
  });
  test.each([
    '',
    'plans',
    '//evil.example',
    '/\\evil.example',
    '/a\\b',
    '/a b',
    '/a\r\nSet-Cookie: x',
    'https://evil.example/',
  ])('%j is not', (path) => {
    expect(isLocalPath(path)).toBe(false);
    expect(() => signPreview({ ...preview, path }, SECRET)).toThrow('Expected the path of a page');
  });
  test('too long for a token is told', () => {
    const path = `/${'a'.repeat(1_100)}`;
    expect(() => signPreview({ ...preview, path }, SECRET)).toThrow('at most 1,000 characters');
  });
});

test.each([{ experiment: 'Home' }, { variant: '' }, { expires: 1.5 }, { expires: 0 }])(
  '%j can not be signed',
  (wrong) => {
    expect(() => signPreview({ ...preview, ...wrong }, SECRET)).toThrow(TypeError);
  },
);
