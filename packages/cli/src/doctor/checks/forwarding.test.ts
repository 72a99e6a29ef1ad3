import type { IncomingMessage } from 'node:http';
import { expect, test } from 'vitest';
import { findings, page, startSite, troubles, type Reply } from '../testing/site.ts';

const LOCAL = { public: { hosts: ['localhost'], port: 8080 } };
const to = (location: string): Reply => ({ status: 302, headers: { Location: location } });

test('redirects to its own inner address, and to another one', async () => {
  await using site = await startSite({
    next: {
      '/': () => to(`${String(site.urls['next'])}/start`),
      '/start': (request) => page(request),
      '/plans': to('http://10.0.0.7/plans'),
    },
  });
  expect(troubles(await site.examine(), 'forwarding')).toMatchObject([
    {
      level: 'warning',
      where: 'next /',
      got: `302 to ${String(site.urls['next'])}/start`,
      fix: expect.stringContaining('the edge mends this redirect'),
    },
    { level: 'error', where: 'next /plans', got: '302 to http://10.0.0.7/plans' },
  ]);
});

test('to http under https: for ever, or once too often', async () => {
  await using site = await startSite({
    next: {
      '/': ({ headers }: IncomingMessage) => to(`https://${String(headers.host)}/`),
      '/plans': to('http://shop.example/plans/'),
      '/plans/': (request) => page(request),
    },
    control: { '/': to('http://shop.example/') },
  });
  expect(troubles(await site.examine(), 'forwarding')).toMatchObject([
    {
      level: 'error',
      where: 'control /',
      got: '302 to http://shop.example/, for ever',
      fix: expect.stringContaining('X-Forwarded-Proto'),
    },
    { level: 'error', where: 'next /', expected: 'redirects that end' },
    { level: 'warning', where: 'next /plans', got: '302 to http://shop.example/plans/' },
  ]);
});

test('it insists on https where visitors come by http', async () => {
  await using site = await startSite({ next: { '/': to('https://localhost/') } });
  expect(troubles(await site.examine(LOCAL), 'forwarding')).toMatchObject([
    { level: 'error', where: 'next /', fix: expect.stringContaining('public.url') },
  ]);
});

function fearsTls(request: IncomingMessage): Reply {
  const isSecure = request.headers['x-forwarded-proto'] === 'https';
  return isSecure ? to('http://localhost:8080/') : page(request);
}

test('it would redirect for ever once there is TLS in front', async () => {
  await using site = await startSite({ next: { '/': fearsTls } });
  expect(troubles(await site.examine(LOCAL), 'forwarding')).toMatchObject([
    {
      level: 'warning',
      where: 'next /',
      got: expect.stringContaining('once there is TLS in front'),
    },
  ]);
});

test('rules that disagree send visitors round in a circle', async () => {
  await using site = await startSite({
    next: { '/plans': to('/plans/'), '/plans/': to('/plans') },
  });
  expect(troubles(await site.examine(), 'forwarding')).toMatchObject([
    {
      level: 'error',
      where: 'next /plans',
      got: expect.stringContaining('where the visitor came from'),
    },
  ]);
});

function echo(request: IncomingMessage): Reply {
  const { host = '' } = request.headers;
  return page(request, '', `<a href="https://${host}/plans">Plans</a>`);
}

test('whoever repeats any Host relies on public.hosts', async () => {
  await using site = await startSite({ next: { '/': echo } });
  const guarded = await site.examine();
  expect(troubles(guarded, 'forwarding')).toEqual([]);
  expect(findings(guarded, 'forwarding')).toContainEqual({
    level: 'ok',
    where: 'next /',
    got: expect.stringMatching(/^repeats any Host/),
  });
  const open = await site.examine({ public: { hosts: ['*'], url: 'https://shop.example' } });
  expect(troubles(open, 'forwarding').filter(({ where }) => where === 'next /')).toMatchObject([
    { level: 'error', fix: expect.stringContaining('public.hosts instead of "*"') },
  ]);
});
