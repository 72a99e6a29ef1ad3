import type { IncomingHttpHeaders } from 'node:http';
import { expect, test } from 'vitest';
import { requestKind, type RequestKind } from './request-kind.ts';

const HTML = 'text/html,application/xhtml+xml,*/*;q=0.8';

const cases: [name: string, kind: RequestKind, path: string, headers: IncomingHttpHeaders][] = [
  ['a browser opens a page', 'navigation', '/', { 'sec-fetch-mode': 'navigate', accept: HTML }],
  ['an older browser opens a page', 'navigation', '/plans', { accept: HTML }],
  ['curl', 'navigation', '/plans', { accept: '*/*' }],
  ['a client that accepts nothing by name', 'navigation', '/', {}],
  ['curl asks for a file', 'subresource', '/logo.png', { accept: '*/*' }],
  ['a dot in a folder is no file', 'navigation', '/v1.2/plans', { accept: '*/*' }],
  ['an older browser loads an image', 'subresource', '/hero', { accept: 'image/avif,*/*' }],
  ['a script fetches', 'subresource', '/plans', { 'sec-fetch-mode': 'cors', accept: HTML }],
  ['a style sheet', 'subresource', '/a.css', { 'sec-fetch-mode': 'no-cors', accept: 'text/css' }],
  [
    'a speculation rule',
    'prefetch',
    '/',
    { 'sec-fetch-mode': 'navigate', 'sec-purpose': 'prefetch;prerender' },
  ],
  ['an older prefetch', 'prefetch', '/', { purpose: 'prefetch', accept: HTML }],
  ["Next.js's prefetch", 'prefetch', '/', { rsc: '1', 'next-router-prefetch': '1' }],
  ["Next.js's client navigation", 'subresource', '/', { rsc: '1', accept: '*/*' }],
  ...[
    'ELB-HealthChecker/2.0',
    'Amazon-Route53-Health-Check-Service (ref 1; report http://amzn.to/1vsZADi)',
    'GoogleHC/1.0',
    'kube-probe/1.33',
    'Consul Health Check',
    'Envoy/HC',
    'Edge Health Probe',
    'Load Balancer Agent',
    'nginx/1.29.0 (health check)',
    'Mozilla/5.0 (compatible; Cloudflare-Healthchecks/1.0; +https://www.cloudflare.com/)',
  ].map((agent): (typeof cases)[number] => [
    `a health check of ${agent}`,
    'health-check',
    '/',
    { 'user-agent': agent, accept: '*/*' },
  ]),
  [
    'a browser that calls itself so',
    'navigation',
    '/',
    { 'sec-fetch-mode': 'navigate', 'user-agent': 'kube-probe/1.33', accept: HTML },
  ],
];

test.each(cases)('%s: %s', (_, kind, path, headers) => {
  expect(requestKind('GET', path, headers)).toBe(kind);
});

test('a form post is a navigation; HEAD, PUT and the like are not', () => {
  expect(requestKind('POST', '/sign-up', { 'sec-fetch-mode': 'navigate' })).toBe('navigation');
  expect(requestKind('HEAD', '/', { accept: HTML })).toBe('subresource');
  expect(requestKind('PUT', '/', { accept: HTML })).toBe('subresource');
});
