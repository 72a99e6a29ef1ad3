import { expect, test } from 'vitest';
import { startSite, troubles } from '../testing/site.ts';
import { checkConfiguration } from './configuration.ts';

test('every problem has its place, as the edge would tell it, and no other check runs', async () => {
  await using site = await startSite();
  const examined = await site.examine({
    default: 'nobody',
    routes: [{ path: 'shop', upstream: 'next' }],
  });
  expect(examined.map(({ name }) => name)).toEqual(['configuration']);
  expect(troubles(examined, 'configuration')).toMatchObject([
    {
      level: 'error',
      where: expect.stringMatching(/turnout\.yaml:\d+:\d+$/),
      got: expect.stringContaining('routes[0].path: expected a path that begins with "/"'),
    },
    { got: 'default: no upstream "nobody"; there are: control, next' },
  ]);
});

test('rules of router-core are asked, too', () => {
  const source = `
upstreams: { site: { url: "http://127.0.0.1:9" } }
default: site
experiments:
  - { key: home, status: running, variants: [{ key: A, upstream: site, weight: 100 }] }
`;
  expect(checkConfiguration(source, 'turnout.yaml', {}).findings).toMatchObject([
    { level: 'error', got: expect.stringContaining('exactly one variant must have control: true') },
  ]);
});

test('an environment variable is named as the place', () => {
  const source = 'upstreams: { site: { url: "http://127.0.0.1:9" } }\ndefault: site\n';
  const env = { TURNOUT_PORT: 'many' };
  expect(checkConfiguration(source, 'turnout.yaml', env).findings).toMatchObject([
    {
      level: 'error',
      where: 'environment variable TURNOUT_PORT',
      got: expect.stringContaining('many'),
    },
  ]);
});
