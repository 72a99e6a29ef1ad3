import { readConfig } from '@turnout/contracts';
import { describe, expect, test } from 'vitest';
import { createPublicSite } from './public-site.ts';

function siteOf(open: string) {
  return createPublicSite(
    readConfig(
      `public: ${open}
upstreams: { next: { url: "http://127.0.0.1:4001" }, old: { url: "https://old.example" } }
default: next`,
      'turnout.yaml',
    ),
  );
}

describe.each([
  {
    open: '{ url: "https://shop.example", hosts: [shop.example, "*.shop.example"] }',
    origin: 'https://shop.example',
    places: {
      'https://shop.example/plans': 'public',
      'https://www.shop.example/': 'public',
      'http://shop.example/': 'public',
      'https://shop.example:4001/': 'inner',
      'http://127.0.0.1:4001/': 'inner',
      'http://127.0.0.1:9/': 'inner',
      'https://old.example/': 'inner',
      'https://old.example:8443/': 'inner',
      'http://172.31.0.1/': 'inner',
      'http://172.32.0.1/': 'foreign',
      'http://[fd00::1]/': 'inner',
      'http://next/': 'inner',
      'https://cdn.example/a.js': 'foreign',
    },
  },
  {
    open: '{ port: 8080 }',
    origin: 'http://localhost:8080',
    places: {
      'http://localhost:8080/': 'public',
      'http://127.0.0.1:8080/': 'public',
      'http://127.0.0.1:4001/': 'inner',
      'http://localhost:3000/': 'inner',
    },
  },
  {
    open: '{ hosts: ["*.shop.example"], port: 80 }',
    origin: 'http://www.shop.example',
    places: { 'http://de.shop.example/': 'public', 'http://shop.example/': 'foreign' },
  },
  {
    open: '{ hosts: ["*"], url: "http://shop.example:8080" }',
    origin: 'http://shop.example:8080',
    places: { 'http://shop.example:8080/': 'public', 'http://other.example/': 'foreign' },
  },
])('$open', ({ open, origin, places }) => {
  const site = siteOf(open);

  test(`is ${origin}`, () => {
    expect(site.origin.origin).toBe(origin);
  });
  test.each(Object.entries(places))('%s is %s', (address, place) => {
    expect(site.placeOf(new URL(address))).toBe(place);
  });
});
