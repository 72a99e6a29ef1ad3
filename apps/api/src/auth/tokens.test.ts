import { describe, expect, test } from 'vitest';
import { createAuthenticate, isAllowed, readTokens, tokenProblem } from './tokens.ts';

const LONG = 'sixteen-letters+';

describe('a list of tokens', () => {
  test('names each holder with a role', () => {
    const { tokens, problems } = readTokens(
      `ada:viewer:${LONG}1, grace@example.org:admin:${LONG}2`,
      'LIST',
    );
    expect(problems).toEqual([]);
    expect(tokens).toEqual([
      { name: 'ada', role: 'viewer', token: `${LONG}1` },
      { name: 'grace@example.org', role: 'admin', token: `${LONG}2` },
    ]);
  });

  test.each([
    ['no role', `ada:${LONG}`, 'LIST, entry 1: expected name:role:token with a role of'],
    ['an unknown role', `ada:owner:${LONG}`, 'a role of viewer, editor, admin.'],
    ['no name', `:viewer:${LONG}`, 'LIST, entry 1: expected name:role:token'],
    ['a name that we use ourselves', `ramp:viewer:${LONG}`, 'the name "ramp" is taken'],
    ['a short token', 'ada:viewer:short', 'at least 16 characters, got 5'],
    ['a token that no header holds', `ada:viewer:${LONG} x`, 'letters, digits and -._~+/ only'],
    ['an empty entry', `ada:viewer:${LONG},`, 'LIST, entry 2: expected name:role:token'],
    ['a name twice', `ada:viewer:${LONG}1,ada:admin:${LONG}2`, '"ada" is there twice'],
    [
      'a token twice',
      `ada:viewer:${LONG},bob:admin:${LONG}`,
      '"ada" and "bob" have the same token',
    ],
  ])('with %s is refused, without the token', (_what, text, problem) => {
    const { problems } = readTokens(text, 'LIST');
    expect(problems).toEqual([expect.stringContaining(problem)]);
    expect(problems.join()).not.toContain(LONG);
  });

  test('tells every problem', () => {
    expect(readTokens('a,b:viewer:c', 'LIST').problems).toHaveLength(2);
  });
});

test('a token alone has a length and an alphabet', () => {
  expect(tokenProblem(LONG, 'IT')).toBeUndefined();
  expect(tokenProblem('short', 'IT')).toMatch(/^IT: expected a token of at least 16 characters/);
  expect(tokenProblem(`${LONG}ä`, 'IT')).toMatch(/only/);
});

test('who has a token is known by it alone', () => {
  const authenticate = createAuthenticate([
    { name: 'ada', role: 'viewer', token: `${LONG}1` },
    { name: 'bob', role: 'editor', token: `${LONG}2` },
  ]);
  expect(authenticate(`${LONG}1`)).toEqual({ name: 'ada', role: 'viewer' });
  expect(authenticate(`${LONG}2`)).toEqual({ name: 'bob', role: 'editor' });
  for (const wrong of ['', LONG, `${LONG}3`, `${LONG}1 `, `${LONG}11`, 'ada']) {
    expect(authenticate(wrong)).toBeUndefined();
  }
  expect(createAuthenticate([])(LONG)).toBeUndefined();
});

test('a role may do what those below it may', () => {
  expect(isAllowed('admin', 'viewer')).toBe(true);
  expect(isAllowed('editor', 'editor')).toBe(true);
  expect(isAllowed('viewer', 'editor')).toBe(false);
  expect(isAllowed('editor', 'admin')).toBe(false);
});
