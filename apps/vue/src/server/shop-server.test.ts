import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import type { Conversion, ConvertingRequest } from '@turnout/client/server';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { listeningPort, sendJson, soar, startPlanServer } from '../testing/plan-server.ts';
import { openBuiltFrontend } from './built-frontend.ts';
import { productApi } from './product-api.ts';
import { createShopServer, type ShopServer } from './shop-server.ts';

// The server is tested with what `vite build` makes, since that is what visitors get.
const root = join(import.meta.dirname, '..', '..');
const form = { 'content-type': 'application/x-www-form-urlencoded' };
let dist: string;

beforeAll(async () => {
  // Vue chooses between its two builds when it is first loaded, which is after this.
  vi.stubEnv('NODE_ENV', 'production');
  // Inside of the app, where the built server finds Vue.
  dist = await mkdtemp(join(root, 'node_modules', '.unit-build-'));
  const build = async (...args: string[]) => {
    const vite = join(root, 'node_modules', 'vite', 'bin', 'vite.js');
    await promisify(execFile)(process.execPath, [vite, 'build', '--logLevel', 'error', ...args], {
      cwd: root,
    });
  };
  await build('--outDir', join(dist, 'client'));
  await build('--ssr', 'src/entry-server.ts', '--outDir', join(dist, 'server'));
}, 60_000);

afterAll(async () => {
  vi.unstubAllEnvs();
  await rm(dist, { recursive: true, force: true });
});

interface Shop {
  shop: ShopServer;
  lines: string[];
  /** What the API was sent. */
  signUps: { body: unknown; headers: IncomingMessage['headers'] }[];
  /** What was reported as converted, and by whom. */
  conversions: [Conversion, ConvertingRequest][];
  send: (target: string, options?: SendOptions) => Promise<Answer>;
}

interface SendOptions {
  method?: string;
  headers?: Record<string, string>;
  body?: string | Buffer;
}

interface Answer {
  status: number | undefined;
  headers: IncomingMessage['headers'];
  body: string;
}

async function startShop(options: { apiUrl?: URL } = {}): Promise<Shop> {
  const lines: string[] = [];
  const signUps: Shop['signUps'] = [];
  const conversions: Shop['conversions'] = [];
  const url =
    options.apiUrl ??
    (await startPlanServer(async (request, response) => {
      if (request.url === '/api/plans') {
        sendJson(response, 200, { plans: [{ ...soar, highlights: ['</script><b>$&'] }] });
        return;
      }
      const body: unknown = JSON.parse(await text(request));
      signUps.push({ body, headers: request.headers });
      const { name, email, plan } = Object(body);
      if (email === 'ada@example.org') {
        const createdAt = '2026-01-01T00:00:00Z';
        sendJson(response, 201, { id: '1', name, email, plan, createdAt });
        return;
      }
      const errors = [{ field: 'email', message: 'Enter an email address.' }];
      sendJson(response, 422, { type: 'about:blank', title: 'No', status: 422, errors });
    }));
  const log = (line: string) => lines.push(line);
  const shop = await createShopServer({
    openFrontend: () => openBuiltFrontend(dist),
    api: productApi({ url, timeoutMs: 2_000, log }),
    report: async (...conversion) => void conversions.push(conversion),
    log,
  });
  await new Promise<void>((resolve) => shop.server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => shop.close(0));
  return { shop, lines, signUps, conversions, send: (target, sent) => sendTo(shop, target, sent) };
}

/** Sends the target as it is: `fetch` would mend the bad ones. */
async function sendTo(
  shop: ShopServer,
  target: string,
  { method = 'GET', headers = {}, body }: SendOptions = {},
): Promise<Answer> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const port = listeningPort(shop.server);
    httpRequest({ host: '127.0.0.1', port, path: target, method, headers }, resolve)
      .on('error', reject)
      .end(body);
  });
  return { status: response.statusCode, headers: response.headers, body: await text(response) };
}

describe('pages', () => {
  test.each([
    ['/', 'Tern Mobile – Goes where you go.', '<h1'],
    ['/plans', 'Plans – Tern Mobile', 'Soar details'],
    ['/plans/', 'Plans – Tern Mobile', 'Soar details'],
    ['/plans/soar', 'Soar – Tern Mobile', 'href="/sign-up?plan=soar"'],
    ['/sign-up?plan=soar', 'Sign up – Tern Mobile', '>Soar, €18 a month'],
    ['/vue', 'Tern Mobile – Goes where you go.', 'href="/vue/plans"'],
    ['/vue/plans/soar', 'Soar – Tern Mobile', 'href="/vue/sign-up?plan=soar"'],
    ['/vue/sign-up', 'Sign up – Tern Mobile', 'action="/vue/sign-up"'],
    ['//', 'Tern Mobile – Goes where you go.', '<link rel="canonical" href="/">'],
  ])('%s', async (target, title, part) => {
    const { send, lines } = await startShop();
    const { status, headers, body } = await send(target);
    expect(status).toBe(200);
    expect(headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-cache',
      'content-security-policy': expect.stringContaining("script-src 'self'"),
    });
    expect(body).toContain(`<title>${title}</title>`);
    expect(body).toContain(part);
    expect(body).toContain('<html lang="en" data-frontend="vue">');
    expect(lines).toEqual([]);
  });

  test('the plan asked for is chosen in the form, a plan that is none is not', async () => {
    const { send } = await startShop();
    const selected = /<option value="([^"]*)"[^>]* selected/;
    expect(selected.exec((await send('/sign-up?plan=soar')).body)?.[1]).toBe('soar');
    expect(selected.exec((await send('/sign-up?plan=nope')).body)?.[1]).toBeUndefined();
    expect((await send('/sign-up?plan=soar&plan=soar')).status).toBe(200);
  });

  test('texts of the API cannot leave the page state', async () => {
    const { send } = await startShop();
    const { body } = await send('/plans/soar');
    const json = /<script type="application\/json" id="state">(.*?)<\/script>/s.exec(body)?.[1];
    expect(JSON.parse(json ?? '').shop.plans[0].highlights).toEqual(['</script><b>$&']);
    expect(body).toContain('&lt;/script&gt;&lt;b&gt;$&amp;');
  });

  test.each([
    '/nope',
    '/plans/nope',
    '/plans/soar/more',
    '/PLANS',
    '/vue/nope',
    '/vuex',
    '/plans/%E0%A4%A',
    '/%',
    '//example.org/plans',
    '/plans/..%2f..%2fetc',
    '/plans/__proto__',
    `/${'x'.repeat(8_000)}`,
    `/${'/'.repeat(8_000)}`,
  ])('%.40s is not found', async (target) => {
    const { send, lines } = await startShop();
    const { status, headers, body } = await send(target);
    expect(status).toBe(404);
    expect(headers['cache-control']).toBe('no-store');
    expect(body).toContain('<title>Page not found – Tern Mobile</title>');
    expect(lines).toEqual([]);
  });

  test('HEAD has the same headers and no body', async () => {
    const { send } = await startShop();
    const [get, head] = [await send('/plans'), await send('/plans', { method: 'HEAD' })];
    expect(head.body).toBe('');
    expect(head.status).toBe(200);
    expect({ ...head.headers, date: '' }).toEqual({ ...get.headers, date: '' });
  });

  test('pages are compressed for those who say so', async () => {
    const { send } = await startShop();
    const { headers } = await send('/', { headers: { 'accept-encoding': 'gzip, br' } });
    expect(headers).toMatchObject({ 'content-encoding': 'br', vary: 'Accept-Encoding' });
  });

  test('a target that is no path, a method that is not served', async () => {
    const { send } = await startShop();
    expect(await send('*', { method: 'OPTIONS' })).toMatchObject({ status: 400 });
    expect(await send('http://example.org/')).toMatchObject({ status: 400 });
    const put = await send('/plans', { method: 'POST', headers: form, body: 'x=1' });
    expect(put).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD' } });
    const patch = await send('/sign-up', { method: 'PATCH' });
    expect(patch).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD, POST' } });
    const asset = await send('/_mfe/vue/assets/x.js', { method: 'POST' });
    expect(asset).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD' } });
  });
});

describe('without the API', () => {
  test('pages say so with status 503, and what needs no plans is served', async () => {
    const { send, lines } = await startShop({ apiUrl: await unusedUrl() });
    for (const target of ['/', '/plans', '/plans/soar', '/sign-up']) {
      const { status, body } = await send(target);
      expect([target, status]).toEqual([target, 503]);
      expect(body).toContain('Our plans are out of reach for a moment');
      expect(body).not.toMatch(/ECONNREFUSED|at .*\.ts/);
    }
    expect(lines).toHaveLength(4);
    expect(lines[0]).toContain('ECONNREFUSED');
    expect((await send('/nope')).status).toBe(404);
    expect((await send('/_mfe/vue/healthz')).status).toBe(200);
  });

  test('a posted form keeps what was typed', async () => {
    const { send } = await startShop({ apiUrl: await unusedUrl() });
    const body = 'name=Ada+Lovelace&email=ada%40example.org&plan=soar';
    const answer = await send('/sign-up', { method: 'POST', headers: form, body });
    expect(answer.status).toBe(503);
    expect(answer.body).toContain('role="alert"');
    expect(answer.body).toContain('value="Ada Lovelace"');
    expect(answer.body).toMatch(/<option value="soar"[^>]* selected/);
  });
});

describe('the sign-up form', () => {
  test('welcomes, and passes on what the edge says of the visitor', async () => {
    const { send, signUps } = await startShop();
    const visitor = { 'x-turnout-visitor': 'v1', 'x-turnout-assignments': 'home-redesign=B' };
    const answer = await send('/vue/sign-up', {
      method: 'POST',
      headers: { ...form, ...visitor, cookie: 'secret=1' },
      body: 'name=%3Cb%3EAda&email=ada%40example.org&plan=soar&extra=1',
    });
    expect(answer).toMatchObject({ status: 200, headers: { 'cache-control': 'no-store' } });
    expect(answer.body).toContain('role="status"');
    expect(answer.body).toContain('Welcome, &lt;b&gt;Ada');
    expect(signUps).toMatchObject([
      { body: { name: '<b>Ada', email: 'ada@example.org', plan: 'soar' }, headers: visitor },
    ]);
    expect(signUps[0]?.headers).not.toHaveProperty('cookie');
  });

  test('reports a sign-up as a conversion, with what the plan costs a month', async () => {
    const { send, conversions } = await startShop();
    const body = 'name=Ada&email=ada%40example.org&plan=soar';
    const visitor = { cookie: 'turnout=1.a', 'x-request-id': 'r1' };
    await send('/sign-up', { method: 'POST', headers: { ...form, ...visitor }, body });
    expect(conversions).toEqual([[{ metric: 'signup', value: 18 }, visitor]]);
  });

  test('reports no refused form, and nothing by its own name', async () => {
    const { send, conversions } = await startShop();
    const post = (target: string, email: string) =>
      send(target, { method: 'POST', headers: form, body: `name=Ada&email=${email}&plan=soar` });
    expect((await post('/sign-up', 'nowhere')).status).toBe(422);
    expect((await post('/vue/sign-up', 'ada%40example.org')).status).toBe(200);
    expect(conversions).toEqual([]);
  });

  test('shows what the API refuses beside what was typed', async () => {
    const { send } = await startShop();
    const body = 'name=Ada&email=%22%3E%3Cscript%3E&plan=soar';
    const answer = await send('/sign-up', { method: 'POST', headers: form, body });
    expect(answer.status).toBe(422);
    expect(answer.body).toMatch(/id="email-error"[^>]*role="alert"[^>]*>Enter an email address\./);
    expect(answer.body).toContain('value="Ada"');
    expect(answer.body).toContain('value="&quot;&gt;&lt;script&gt;"');
  });

  test.each<[string, number, SendOptions]>([
    ['another type', 415, { headers: { 'content-type': 'application/json' }, body: '{}' }],
    ['no type', 415, { body: '' }],
    ['bytes that are not UTF-8', 400, { headers: form, body: Buffer.from([0x61, 0xff]) }],
    ['too many bytes', 413, { headers: form, body: `name=${'x'.repeat(20_000)}` }],
    [
      'too many bytes of no stated length',
      413,
      { headers: { ...form, 'transfer-encoding': 'chunked' }, body: 'x'.repeat(20_000) },
    ],
  ])('%s', async (_name, status, sent) => {
    const { send, signUps } = await startShop();
    const answer = await send('/sign-up', { method: 'POST', ...sent });
    expect(answer.status).toBe(status);
    expect(answer.body).toContain('role="alert"');
    expect(signUps).toEqual([]);
  });

  test('a body without end is answered, and read no further', async () => {
    const { shop } = await startShop();
    const socket = connect(listeningPort(shop.server), '127.0.0.1');
    onTestFinished(() => {
      socket.destroy();
    });
    socket.write(
      'POST /sign-up HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n' +
        `Transfer-Encoding: chunked\r\n\r\n5000\r\n${'x'.repeat(0x5000)}\r\n`,
    );
    const answer = await text(socket);
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(answer).toMatch(/\r\nConnection: close\r\n/i);
  });

  test('a visitor who leaves half-way is no failure', async () => {
    const { shop, send, lines, signUps } = await startShop();
    const socket = connect(listeningPort(shop.server), '127.0.0.1');
    socket.write(
      'POST /sign-up HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n' +
        'Content-Length: 100\r\n\r\nname=',
    );
    const received = await new Promise<IncomingMessage>((resolve) => {
      shop.server.once('request', resolve);
    });
    socket.resetAndDestroy();
    await new Promise((resolve) => received.once('close', resolve));
    expect((await send('/plans')).status).toBe(200);
    expect(signUps).toEqual([]);
    expect(lines).toEqual([]);
  });
});

describe('files', () => {
  test('each file that a page names is there, forever', async () => {
    const { send } = await startShop();
    const { body } = await send('/vue/plans');
    const files = [...body.matchAll(/(?:src|href)="(\/_mfe\/vue\/[^"]+)"/g)].map(
      ([, file]) => file,
    );
    const types = new Set<string | undefined>();
    for (const file of files) {
      const { status, headers } = await send(file ?? '');
      expect([file, status]).toEqual([file, 200]);
      expect(headers['cache-control']).toBe('public,max-age=31536000,immutable');
      types.add(headers['content-type']?.split(';')[0]);
    }
    expect(types).toEqual(new Set(['image/svg+xml', 'text/css', 'text/javascript']));

    const script = files.find((file) => file?.endsWith('.js')) ?? '';
    const small = await send(script, { headers: { 'accept-encoding': 'br' } });
    expect(small.headers['content-encoding']).toBe('br');
    expect(small.headers['content-type']).toBe('text/javascript');
    expect(await send(script, { method: 'HEAD' })).toMatchObject({ status: 200, body: '' });
  });

  test.each([
    '/_mfe/vue/',
    '/_mfe/vue/index.html',
    '/_mfe/vue/assets/',
    '/_mfe/vue/assets/none.js',
    '/_mfe/vue/assets/../index.html',
    '/_mfe/vue/assets/..%2findex.html',
    '/_mfe/vue/assets/%E0%A4%A',
    '/_mfe/vue/assets//etc/passwd',
  ])('%s is not', async (target) => {
    const { send, lines } = await startShop();
    const { status, headers } = await send(target);
    expect(status).toBe(404);
    expect(headers['cache-control']).toBe('no-store');
    expect(lines).toEqual([]);
  });
});

describe('ending', () => {
  test('answers what has begun, and takes nothing new', async () => {
    const held = Promise.withResolvers<() => void>();
    const apiUrl = await startPlanServer((_request, response) => {
      held.resolve(() => sendJson(response, 200, { plans: [soar] }));
    });
    const { shop, send } = await startShop({ apiUrl });
    const page = send('/plans', { headers: { connection: 'keep-alive' } });
    const release = await held.promise;
    const port = listeningPort(shop.server);
    const closed = shop.close(10_000);
    await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow('fetch failed');
    release();
    expect(await page).toMatchObject({ status: 200, headers: { connection: 'close' } });
    await closed;
  });

  test('what takes too long is cut off', async () => {
    const begun = Promise.withResolvers<void>();
    const { shop, send } = await startShop({
      apiUrl: await startPlanServer(() => begun.resolve()),
    });
    const page = send('/plans');
    page.catch(() => {});
    await begun.promise;
    await shop.close(20);
    await expect(page).rejects.toThrow(/socket hang up|ECONNRESET/);
  });
});

test('without a build, the message says how to make one', async () => {
  await expect(openBuiltFrontend(join(dist, 'none'))).rejects.toThrow(
    /Run `pnpm --filter @turnout\/vue build`/,
  );
});

/** The address of a port that was free a moment ago. */
async function unusedUrl(): Promise<URL> {
  const { createServer } = await import('node:http');
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const port = listeningPort(server);
  await new Promise((resolve) => server.close(resolve));
  return new URL(`http://127.0.0.1:${port}`);
}
