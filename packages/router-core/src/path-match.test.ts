import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import cases from '../../../test/cases/paths.json' with { type: 'json' };
import {
  compileHosts,
  compilePathGlob,
  compileWildcard,
  normaliseHost,
  normalisePath,
} from './path-match.ts';

describe('normalisePath', () => {
  test.each(cases.normalise)('$target is $path', ({ target, path }) => {
    expect(normalisePath(target)).toBe(path);
  });

  const spellings =
    '/ // . .. %2e %2E %2f %2F %5c \\ % %25 %2 a %61 ? # * é ☃ http://x : %zz - ~ %7e';
  const pieces = fc.constantFrom(' ', '\u0000', '\uD800', ...spellings.split(' '));
  const targets = fc.oneof(
    fc.array(pieces).map((parts) => parts.join('')),
    fc.string({ unit: 'binary' }),
  );

  test('never throws, is idempotent, and leaves nothing to dodge with', () => {
    fc.assert(
      fc.property(targets, (target) => {
        const path = normalisePath(target);
        expect(normalisePath(path)).toBe(path);
        expect(path).toMatch(/^\/(?:[\w.~!$&'()*+,;=:@/-]|%[0-9A-F]{2})*$/);
        expect(path).not.toMatch(/\/\/|\\|%2[DE]|%[46]1|%7E|%5F/);
        // No decoder that splits at encoded slashes finds a dot segment either.
        expect(path.split(/\/|%2F|%5C/)).not.toContain('..');
        expect(path.split(/\/|%2F|%5C/)).not.toContain('.');
      }),
      { numRuns: 3_000 },
    );
  });

  test('takes time in proportion to the length', () => {
    const began = performance.now();
    normalisePath('/a'.repeat(8_000) + ' ');
    normalisePath('/..%2f'.repeat(8_000));
    expect(performance.now() - began).toBeLessThan(1_000);
  });
});

function escapeRegExp(text: string): string {
  return text.replaceAll(/[^\w/]/g, '\\$&');
}

/** What a glob means, said again as a regular expression. */
function reference(glob: string): RegExp {
  const source = glob
    .slice(1)
    .split('/')
    .map((segment) => {
      if (segment === '**') return '(?:/[^/]*)*';
      if (segment === '*') return '/[^/]+';
      return `/${segment.split('*').map(escapeRegExp).join('[^/]*')}`;
    })
    .join('');
  return new RegExp(`^${source}$`);
}

describe('compilePathGlob', () => {
  test.each(cases.globs)('$glob matches $path: $matches', ({ glob, path, matches }) => {
    expect(compilePathGlob(glob)(path)).toBe(matches);
  });

  test('agrees with a regular expression', () => {
    const names = fc.stringMatching(/^[ab]{0,3}$/);
    const patterns = fc.oneof(
      fc.constantFrom('**', '*'),
      fc
        .stringMatching(/^[ab]{0,2}\*?[ab]{0,2}\*?[ab]{0,1}$/)
        .filter((text) => !text.includes('**')),
    );
    const globs = fc
      .array(patterns, { minLength: 1, maxLength: 5 })
      .map((all) => `/${all.join('/')}`);
    const paths = fc.array(names, { minLength: 1, maxLength: 6 }).map((all) => `/${all.join('/')}`);
    fc.assert(
      fc.property(globs, paths, (rawGlob, rawPath) => {
        const glob = normalisePath(rawGlob);
        const path = normalisePath(rawPath);
        expect(compilePathGlob(glob)(path)).toBe(reference(glob).test(path));
      }),
      { numRuns: 5_000 },
    );
  });

  test('does not blow up on hostile paths', () => {
    const matches = compilePathGlob('/**/a*a*a*a*b/**/a*a*a*b/**/c');
    const began = performance.now();
    expect(matches(`/${'a'.repeat(60)}`.repeat(200))).toBe(false);
    expect(performance.now() - began).toBeLessThan(1_000);
  });

  test.each([
    ['plans/**', 'begins with "/"'],
    ['', 'begins with "/"'],
    ['/plans?x', 'got "?"'],
    ['/{a,b}', 'got "{"'],
    ['/[ab]', 'got "["'],
    ['/plans**', '** to be a whole segment, got "plans**"'],
  ])('refuses %s', (glob, message) => {
    expect(() => compilePathGlob(glob)).toThrow(message);
  });
});

describe('compileWildcard', () => {
  test('agrees with a regular expression', () => {
    const texts = fc.stringMatching(/^[ab]{0,8}$/);
    const patterns = fc.stringMatching(/^[ab*]{0,6}$/);
    fc.assert(
      fc.property(patterns, texts, (pattern, text) => {
        const source = pattern.split('*').map(escapeRegExp).join('.*');
        expect(compileWildcard(pattern)(text)).toBe(new RegExp(`^${source}$`).test(text));
      }),
      { numRuns: 5_000 },
    );
  });
});

describe('hosts', () => {
  test.each([
    ['Example.COM', 'example.com'],
    ['localhost:8080', 'localhost'],
    ['example.com.:443', 'example.com'],
    ['[::1]:8080', '[::1]'],
    ['', ''],
  ])('%s is %s', (host, normalised) => {
    expect(normaliseHost(host)).toBe(normalised);
  });

  test('match exactly, or any subdomain', () => {
    const matches = compileHosts(['shop.example', '*.tern.example', '[::1]']);
    for (const host of ['shop.example', 'a.tern.example', 'a.b.tern.example', '[::1]']) {
      expect(matches(host)).toBe(true);
    }
    for (const host of [
      'tern.example',
      'xtern.example',
      'www.shop.example',
      '',
      'shop.example.x',
    ]) {
      expect(matches(host)).toBe(false);
    }
    expect(compileHosts([])('anything')).toBe(true);
  });

  test.each(['', 'a b', 'exa*mple.com', 'http://example.com', '*', '**.example.com'])(
    'refuses "%s"',
    (host) => {
      expect(() => compileHosts([host])).toThrow('expected a host name');
    },
  );
});
