import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { request } from '../test/request.ts';
import { compilePathGlob } from './path-match.ts';
import { createRouteTable } from './route-table.ts';

const table = createRouteTable([
  { path: '/_mfe/next/**', upstream: 'next' },
  { path: '/_mfe/vue/**', upstream: 'vue' },
  { path: '/_next/**', upstream: 'next' },
  { path: '/api/internal/**', host: 'public.example', upstream: 'nowhere' },
  { path: '/api/**', upstream: 'api' },
  { path: '/wp-*/**', upstream: 'wordpress' },
  { path: '/**/feed', upstream: 'wordpress' },
  { path: '/**', host: '*.static.example', upstream: 'static' },
  { path: '/wp-late', upstream: 'never' },
]);

describe('match', () => {
  test.each([
    ['/_mfe/next/chunk.js', 'localhost', 'next'],
    ['/_mfe/vue', 'localhost', 'vue'],
    ['/_mfe/other', 'localhost', undefined],
    ['/api/plans', 'localhost', 'api'],
    ['/api/internal/x', 'public.example', 'nowhere'],
    ['/api/internal/x', 'localhost', 'api'],
    ['/wp-json/wp/v2', 'localhost', 'wordpress'],
    ['/wp-late', 'localhost', 'wordpress'],
    ['/api/feed', 'localhost', 'api'],
    ['/_mfe/feed', 'localhost', 'wordpress'],
    ['/', 'a.static.example', 'static'],
    ['/api', 'a.static.example', 'api'],
    ['/', 'localhost', undefined],
    ['/plans', 'localhost', undefined],
  ])('%s on %s goes to %s', (path, host, upstream) => {
    expect(table.match(request(path, { host }))).toBe(upstream);
  });

  test('looks at the predicate of a route, and goes on to the next', () => {
    const byVersion = createRouteTable([
      { path: '/api/**', when: { header: { name: 'x-version', value: '2' } }, upstream: 'new' },
      { path: '/api/**', host: '*.example', when: { method: 'POST' }, upstream: 'write' },
      { path: '/api/**', upstream: 'old' },
    ]);
    const second = { headers: { 'x-version': '2' } };
    const post = { method: 'POST', host: 'a.example' };
    expect(byVersion.match(request('/api/x', second))).toBe('new');
    expect(byVersion.match(request('/x', second))).toBeUndefined();
    expect(byVersion.match(request('/api', post))).toBe('write');
    expect(byVersion.match(request('/api', { ...post, ...second }))).toBe('new');
    expect(byVersion.match(request('/api', { method: 'POST' }))).toBe('old');
  });

  test('is the first of the routes whose glob matches, whatever the index', () => {
    const segments = fc.constantFrom('a', 'b', 'c', '*', 'a*', '**');
    const globs = fc
      .array(segments, { minLength: 1, maxLength: 3 })
      .map((all) => `/${all.join('/')}`);
    const paths = fc
      .array(fc.constantFrom('a', 'b', 'c', 'ab'), { maxLength: 3 })
      .map((all) => `/${all.join('/')}`);
    fc.assert(
      fc.property(fc.array(globs, { maxLength: 8 }), paths, (all, path) => {
        const routes = all.map((glob, index) => ({ path: glob, upstream: String(index) }));
        const first = routes.find((route) => compilePathGlob(route.path)(path));
        expect(createRouteTable(routes).match(request(path))).toBe(first?.upstream);
      }),
      { numRuns: 2_000 },
    );
  });
});

test('refuses a route that cannot be compiled', () => {
  expect(() => createRouteTable([{ path: 'api', upstream: 'api' }])).toThrow('begins with "/"');
  expect(() => createRouteTable([{ path: '/', host: '', upstream: 'api' }])).toThrow('a host name');
  expect(() => createRouteTable([{ path: '/', when: { country: 'de' }, upstream: 'api' }])).toThrow(
    'country: expected a country as two capitals',
  );
});
