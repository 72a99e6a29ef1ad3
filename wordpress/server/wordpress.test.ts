/**
 * One suite over every way to run the site: the embedded PHP, and an
 * interpreter of the machine with SQLite and with MariaDB. What the machine
 * lacks is skipped, except in CI, where it fails.
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { adminPassword } from './admin-password.ts';
import { startProductApi, type ProductApi } from './product-api.fixture.ts';
import { startReportTaker, type ReportTaker } from './report-taker.fixture.ts';
import type { PhpRuntime } from './settings.ts';
import { startWordPress, type RunningSite } from './wordpress.ts';

interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

interface Ask {
  readonly method?: string;
  readonly headers?: http.OutgoingHttpHeaders;
  readonly form?: Record<string, string>;
}

/** Where visitors are, as the edge in front passes it on. */
const publicHost = 'localhost:8080';

const CLIENT_SCRIPT = /<script src="\/_turnout\/client.js" defer data-expect="signup"><\/script>/g;

function isShopPage(target: string): boolean {
  return /^\/(?:$|plans\b|sign-up\b)/.test(target);
}

const agent = new http.Agent({ keepAlive: true });
const inCi = process.env['CI'] === 'true';

function which(...names: string[]): string | undefined {
  for (const name of names) {
    try {
      return execFileSync('/bin/sh', ['-c', `PATH="$PATH:/usr/sbin" command -v ${name}`])
        .toString()
        .trim();
    } catch {
      // The next one.
    }
  }
  return undefined;
}

/** What a way to run the site needs from the machine, started; undefined when the machine lacks it. */
interface Environment {
  readonly php: PhpRuntime;
  stop(): Promise<void>;
}

const nothingToStop = () => Promise.resolve();
const environments: Record<string, (folder: string) => Promise<Environment | undefined>> = {
  'embedded PHP': () => Promise.resolve({ php: { kind: 'embedded' }, stop: nothingToStop }),
  'PHP interpreter with SQLite': () => {
    const binary = which('php');
    return Promise.resolve(
      binary ? { php: { kind: 'interpreter', binary }, stop: nothingToStop } : undefined,
    );
  },
  'PHP interpreter with MariaDB': async (folder) => {
    const binary = which('php');
    const server = which('mariadbd', 'mysqld');
    const installer = which('mariadb-install-db', 'mysql_install_db');
    if (!binary || !server || !installer) return undefined;
    const data = path.join(folder, 'mariadb');
    const socket = path.join(folder, 'db.sock');
    execFileSync(
      installer,
      [
        '--no-defaults',
        `--datadir=${data}`,
        '--auth-root-authentication-method=normal',
        '--skip-test-db',
      ],
      { stdio: 'ignore' },
    );
    const port = await freePort();
    const child = spawn(
      server,
      [
        '--no-defaults',
        ...(process.getuid?.() === 0 ? ['--user=root'] : []),
        `--datadir=${data}`,
        `--socket=${socket}`,
        `--port=${port}`,
        '--bind-address=127.0.0.1',
      ],
      { stdio: 'ignore' },
    );
    await connectable(port, child);
    return {
      php: {
        kind: 'interpreter',
        binary,
        database: { address: `127.0.0.1:${port}`, user: 'root', password: '', name: 'tern-test' },
      },
      stop: async () => {
        const ended = once(child, 'exit');
        child.kill('SIGTERM');
        await ended;
      },
    };
  },
};

describe.each(Object.entries(environments))('%s', { timeout: 120_000 }, (name, prepare) => {
  let folder: string;
  let api: ProductApi;
  let edge: ReportTaker;
  let environment: Environment | undefined;
  let site: RunningSite;
  const log: string[] = [];
  const requestsPerRuntime = 200;

  const start = async (): Promise<RunningSite> => {
    if (!environment) throw new Error(`${name} is not available.`);
    const started = await startWordPress(
      {
        host: '127.0.0.1',
        port: 0,
        dataDir: folder,
        apiUrl: api.url,
        edgeUrl: edge.url,
        php: environment.php,
      },
      { log: (line) => log.push(line), requestsPerRuntime },
    );
    await started.ready;
    return started;
  };

  const ask = (target: string, { method = 'GET', headers = {}, form }: Ask = {}): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const body = form ? new URLSearchParams(form).toString() : undefined;
      const request = http.request(
        {
          host: '127.0.0.1',
          port: site.port,
          path: target,
          method,
          agent,
          headers: {
            host: publicHost,
            'x-forwarded-host': publicHost,
            'x-forwarded-proto': 'http',
            ...(body === undefined
              ? {}
              : {
                  'content-type': 'application/x-www-form-urlencoded',
                  'content-length': Buffer.byteLength(body),
                }),
            ...headers,
          },
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', reject);
          response.on('end', () =>
            resolve({
              status: response.statusCode ?? 0,
              headers: response.headers,
              body: Buffer.concat(chunks).toString(),
            }),
          );
        },
      );
      request.on('error', reject).end(body);
    });

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'turnout-wordpress-'));
    api = await startProductApi();
    edge = await startReportTaker();
    api.broken = true; // The first test is about that.
    environment = await prepare(folder);
    if (environment) site = await start();
    else if (inCi)
      throw new Error(`${name}: install php-cli, php-mysql, php-sqlite3 and mariadb-server.`);
  }, 120_000);

  afterAll(async () => {
    // Optional: what failed to start has nothing to close.
    const running = site as RunningSite | undefined;
    await running?.close();
    await environment?.stop();
    api.close();
    edge.close();
    rmSync(folder, { recursive: true, force: true });
  }, 30_000);

  beforeEach((context) => {
    if (!environment) context.skip(`This machine has not what ${name} needs.`);
  });

  test('says so kindly while there are no plans at all, and recovers by itself', async () => {
    for (const target of ['/plans', '/plans/wren', '/sign-up']) {
      const answer = await ask(target);
      expect([answer.status, answer.headers['retry-after']]).toEqual([503, '2']);
      expect(answer.headers['cache-control']).toBe('no-store');
      expect(answer.body).toContain('<h1>Back in a moment</h1>');
    }
    const home = await ask('/');
    expect(home.status).toBe(200);
    expect(home.body).toContain('taking a short break');
    expect(log.join('\n')).toContain('no plans from');
    api.broken = false;
    await expect
      .poll(async () => (await ask('/plans')).status, { timeout: 20_000, interval: 250 })
      .toBe(200);
  });

  test('serves the pages with their titles and statuses, and nothing but the page', async () => {
    const pages: [string, number, string][] = [
      ['/', 200, 'Tern Mobile – Goes where you go.'],
      ['/plans', 200, 'Plans – Tern Mobile'],
      ['/plans/wren', 200, 'Wren – Tern Mobile'],
      ['/plans/swift', 200, 'Swift &#038; Co – Tern Mobile'],
      ['/plans/dodo', 404, 'Page not found – Tern Mobile'],
      ['/sign-up?plan=wren', 200, 'Sign up – Tern Mobile'],
      ['/nothing/here', 404, 'Page not found – Tern Mobile'],
      ['/xmlrpc.php', 404, 'Page not found – Tern Mobile'],
      ['/wp-config.php', 404, 'Page not found – Tern Mobile'],
    ];
    for (const [target, status, title] of pages) {
      const { headers, body, ...answer } = await ask(target);
      expect([target, answer.status, /<title>(.*)<\/title>/.exec(body)?.[1]]).toEqual([
        target,
        status,
        title,
      ]);
      expect(body).toContain('<html lang="en" data-frontend="wordpress">');
      expect(body).toContain('This page is served by WordPress');
      expect(body.match(/<h1[ >]/g)).toHaveLength(1);
      // The shop's pages hope for a sign-up, those of WordPress itself for nothing.
      const clients = body.match(CLIENT_SCRIPT) ?? [];
      expect([target, clients.length]).toEqual([target, isShopPage(target) ? 1 : 0]);
      expect(body.replace(CLIENT_SCRIPT, '')).not.toMatch(
        /<script|s\.w\.org|gravatar|name="generator"|wp-emoji|Warning:|Deprecated:/,
      );
      expect(headers['set-cookie']).toBeUndefined();
      expect(headers['x-powered-by']).toBeUndefined();
      expect(headers['cache-control']).toMatch(status === 200 ? /^no-cache$/ : /no-cache|no-store/);
    }
  });

  test('escapes what the API sends', async () => {
    const { body } = await ask('/plans/swift');
    expect(body).toContain('Calls &lt;and&gt; texts');
    expect(body).toContain('Choose Swift &amp; Co');
    expect(body).toContain('€18.50');
    expect(body).toContain('Unlimited');
  });

  test('keeps links on the public address, and under /wordpress when asked there', async () => {
    const links = (body: string) =>
      [...body.matchAll(/(?:href|action)=["']([^"'#]+)["']/g)]
        .map((match) => match[1] ?? '')
        .filter((link) => !/\/wp-content\/|\/feed/.test(link))
        .map((link) => link.replace(`http://${publicHost}`, ''));
    const home = links((await ask('/')).body);
    expect(home).toEqual(expect.arrayContaining(['/', '/plans', '/sign-up', '/plans/wren']));
    expect(home.filter((link) => link.startsWith('/wordpress'))).toEqual([]);
    for (const page of ['/', '/plans', '/plans/wren', '/sign-up', '/nope']) {
      const { body } = await ask(`/wordpress${page}`);
      expect(links(body).filter((link) => !/^\/wordpress(?:\/|$)/.test(link))).toEqual([]);
      // Assets stay at the root, where they are routed by path.
      expect(body).toContain(`href='http://${publicHost}/wp-content/themes/tern-mobile/style.css`);
    }
    expect((await ask('/wordpress')).headers.location).toBe(`http://${publicHost}/wordpress/`);
    expect((await ask('/wordpress/plans/dodo')).status).toBe(404);
    expect((await ask('/plans/')).headers.location).toBe(`http://${publicHost}/plans`);
  });

  test('takes the scheme from the proxy, and never a host that is none', async () => {
    const secure = await ask('/plans/', {
      headers: { 'x-forwarded-host': 'shop.example', 'x-forwarded-proto': 'https' },
    });
    expect(secure.headers.location).toBe('https://shop.example/plans');
    const odd = await ask('/', { headers: { 'x-forwarded-host': 'evil"><b>' } });
    expect(odd.body).not.toContain('evil');
  });

  test('signs a customer up', async () => {
    const answer = await ask('/sign-up', {
      method: 'POST',
      form: { full_name: 'Ada <Love>', email: 'ada@example.org', plan: 'swift' },
    });
    expect(answer.status).toBe(200);
    expect(answer.body).toMatch(/role="status"[^]*Welcome, Ada &lt;Love&gt;[^]*Swift &amp; Co/);
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(api.signUps.at(-1)).toEqual({
      name: 'Ada <Love>',
      email: 'ada@example.org',
      plan: 'swift',
    });
  });

  const VISITOR = 'turnout=1.wZPl9qd-KCzQjxaK2mBjvA.home-redesign:control:1.mac';
  const form = { full_name: 'Ada', email: 'ada@example.org', plan: 'swift' };
  const asVisitor = (target: string) => ask(target, { headers: { cookie: VISITOR } });
  const signUp = (target = '/sign-up', headers: Record<string, string> = {}) =>
    ask(target, { method: 'POST', form, headers: { cookie: VISITOR, ...headers } });

  test('reports a sign-up to the edge, with what the plan costs a month', async () => {
    edge.take();
    const requestId = '0199f5a2-7b3c-7c1e-9a41-d20f6c51e97b';
    const answer = await signUp('/sign-up', { 'x-request-id': requestId });
    expect(edge.take()).toMatchObject([
      {
        cookie: VISITOR,
        origin: undefined,
        body: {
          events: [{ metric: 'signup', did_convert: true, value: 18.5, request_id: requestId }],
        },
      },
    ]);
    // This visit owes no other result.
    expect(answer.body).toContain(
      '<script src="/_turnout/client.js" defer data-settle="signup"></script>',
    );
    expect(answer.body).not.toContain('data-expect');
  });

  test('reports nothing of a refused form, of somebody who is no visitor, or by its own name', async () => {
    edge.take();
    await ask('/sign-up', {
      method: 'POST',
      form: { ...form, email: 'nowhere' },
      headers: { cookie: VISITOR },
    });
    await signUp('/sign-up', { cookie: 'theme=dark' });
    const mounted = await signUp('/wordpress/sign-up');
    expect(mounted.body).toContain('Welcome, Ada');
    expect(mounted.body).not.toContain('<script');
    expect((await ask('/wordpress/plans')).body).not.toContain('<script');
    expect(edge.take()).toEqual([]);
  });

  test('a sign-up is welcome although the edge refuses its report, and the log says why', async () => {
    edge.status = 422;
    try {
      expect((await signUp()).body).toContain('Welcome, Ada');
    } finally {
      edge.status = 202;
    }
    edge.take();
    await expect
      .poll(() => log.join('\n'))
      .toContain('conversion of signup not reported to ' + edge.url);
    expect(log.join('\n')).toContain('expected status 202, got 422');
  });

  test('other plugins report by an action, and an order of a shop counts once', async () => {
    const [kind = ''] = readdirSync(path.join(folder, 'wordpress'));
    copyFileSync(
      path.join(import.meta.dirname, 'fixtures/shop.php'),
      path.join(folder, 'wordpress', kind, 'site/wp-content/mu-plugins/shop.php'),
    );
    edge.take();
    // A changed folder shows within a second.
    await expect
      .poll(async () => {
        await asVisitor('/plans?convert=newsletter');
        return edge.take();
      })
      .toMatchObject([{ body: { events: [{ metric: 'newsletter', did_convert: true }] } }]);
    // At once, so they may come in any order: each is told by the request that it names.
    const orders = [17, 17, 18, 13];
    const requestIds = orders.map(() => randomUUID());
    const openOrders = () =>
      Promise.all(
        orders.map((order, index) =>
          ask(`/plans?order=${order}`, {
            headers: { cookie: VISITOR, 'x-request-id': requestIds[index] },
          }),
        ),
      );
    const pages = await openOrders();
    const events = edge.take().flatMap(({ body }) => body.events);
    for (const event of events) expect(event).toMatchObject({ metric: 'purchase', value: 49.9 });
    const [first, again, other, failed] = requestIds.map(
      (id) => events.find(({ request_id }) => request_id === id)?.event_id,
    );
    // Of one that was paid for before the other page asked, there is but one.
    const ofFirst = new Set([first, again].filter((id) => id !== undefined));
    expect(ofFirst.size).toBe(1);
    expect(other).toBeDefined();
    expect(ofFirst).not.toContain(other);
    expect(failed).toBeUndefined();
    // Opened again, on whatever day, they are no second purchase.
    await openOrders();
    expect(edge.take()).toEqual([]);
    expect(pages[2]?.body).toContain('data-expect="signup" data-settle="purchase"');
  });

  test('shows what the API refuses beside the fields, and keeps what was typed', async () => {
    const refused = await ask('/wordpress/sign-up', {
      method: 'POST',
      form: { full_name: '', email: 'a"b', plan: 'wren' },
    });
    expect(refused.status).toBe(422);
    expect(refused.body).toContain('role="alert"');
    expect(refused.body).toContain('id="sign-up-name-error">Tell us your name.<');
    expect(refused.body).toContain('id="sign-up-email-error">Enter an &quot;email&quot;.<');
    expect(refused.body).toContain('value="a&quot;b"');
    expect(refused.body).toMatch(/<option value="wren"\s+selected/);

    const unknown = await ask('/sign-up', {
      method: 'POST',
      form: { full_name: "O'Neil", email: 'a@b', plan: 'dodo' },
    });
    expect(unknown.status).toBe(422);
    expect(unknown.body).toContain('id="sign-up-plan-error">There is no such plan.<');
    expect(unknown.body).toContain('value="O&#039;Neil"');
  });

  test('refuses a form that another site sent', async () => {
    const before = api.signUps.length;
    const answer = await ask('/sign-up', {
      method: 'POST',
      form: { full_name: 'Ada', email: 'a@b', plan: 'wren' },
      headers: { 'sec-fetch-site': 'cross-site' },
    });
    expect(answer.status).toBe(403);
    expect(api.signUps).toHaveLength(before);
  });

  test('keeps plans that it has while the API is down, and what is typed into the form', async () => {
    api.broken = true;
    try {
      expect((await ask('/plans')).status).toBe(200);
      const answer = await ask('/sign-up', {
        method: 'POST',
        form: { full_name: 'Grace', email: 'g@h', plan: 'wren' },
      });
      expect(answer.status).toBe(503);
      expect(answer.body).toMatch(/role="alert"[^]*try again/);
      expect(answer.body).toContain('value="Grace"');
    } finally {
      api.broken = false;
    }
  });

  test('lets the admin in at /wp-admin on the public address', async () => {
    // Known from the log, where the password itself must not be.
    const { password } = adminPassword(folder, undefined);
    expect(log.join('\n')).toContain('wordpress-admin.json');
    expect(log.join('\n')).not.toContain(password);
    const gate = await ask('/wp-admin/');
    expect(gate.headers.location).toMatch(`http://${publicHost}/wp-login.php?`);
    const login = await ask('/wp-login.php');
    const answer = await ask('/wp-login.php', {
      method: 'POST',
      form: { log: 'admin', pwd: password, redirect_to: `http://${publicHost}/wp-admin/` },
      headers: { cookie: cookiesOf(login).join('; ') },
    });
    expect([answer.status, answer.headers.location]).toEqual([
      302,
      `http://${publicHost}/wp-admin/`,
    ]);
    // Several cookies, each in a header of its own.
    expect(cookiesOf(answer).length).toBeGreaterThanOrEqual(3);
    const cookie = [...cookiesOf(login), ...cookiesOf(answer)].join('; ');
    const dashboard = await ask('/wp-admin/', { headers: { cookie } });
    expect(dashboard.status).toBe(200);
    expect(dashboard.body).toContain('id="wpadminbar"');
    const wrong = await ask('/wp-login.php', {
      method: 'POST',
      form: { log: 'admin', pwd: `${password}x` },
      headers: { cookie: cookiesOf(login).join('; ') },
    });
    expect(wrong.body).toContain('id="login_error"');
  });

  test('answers static files from disk, with validators, and no others', async () => {
    const style = await ask('/wp-content/themes/tern-mobile/style.css?ver=1');
    expect(style.status).toBe(200);
    expect(style.headers['content-type']).toMatch(/^text\/css/);
    expect(style.headers['cache-control']).toBe('public, max-age=31536000, immutable');
    const again = await ask('/wp-content/themes/tern-mobile/style.css?ver=1', {
      headers: { 'if-none-match': style.headers.etag },
    });
    expect(again.status).toBe(304);
    const jquery = await ask('/wp-includes/js/jquery/jquery.min.js');
    expect([jquery.status, jquery.headers['cache-control']]).toEqual([200, 'public, max-age=3600']);
    for (const target of ['/wp-includes/nope.css', '/wp-includes/js/', '/wp-content/uploads']) {
      expect((await ask(target)).status).toBe(404);
    }
    expect((await ask('/wp-includes/js/jquery/jquery.min.js', { method: 'POST' })).status).toBe(
      405,
    );
    expect((await ask('/wp-content/themes/tern-mobile/functions.php')).body).not.toContain('<?php');
  });

  test('refuses a body that is too large, and outlives a client that leaves', async () => {
    const large = http.request({
      host: '127.0.0.1',
      port: site.port,
      path: '/sign-up',
      method: 'POST',
      headers: { 'content-length': 64 * 1024 * 1024 },
    });
    large.flushHeaders(); // The body never comes.
    const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
      large.once('response', resolve).once('error', reject);
    });
    expect(response.statusCode).toBe(413);
    large.destroy();

    const socket = net.connect(site.port, '127.0.0.1');
    await once(socket, 'connect');
    socket.write(`GET /plans HTTP/1.1\r\nHost: ${publicHost}\r\n\r\n`);
    socket.destroy();
    expect((await ask('/plans')).status).toBe(200);
  });

  test('closes no idle connection before the edge does', async () => {
    const { headers } = await ask('/plans');
    const [, seconds] = /^timeout=(\d+)$/.exec(String(headers['keep-alive'])) ?? [];
    // The edge keeps one for as long as it is told, less a second, or for 4 s.
    expect(Number(seconds)).toBeGreaterThan(60);
  });

  test('answers many at once', async () => {
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, index) => ask(index % 2 ? '/plans' : '/')),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 40 }, () => 200));
  });

  test('sets itself up again in no time, with the same password', async () => {
    await site.close();
    const before = readFileSync(path.join(folder, 'wordpress-admin.json'), 'utf8');
    log.length = 0;
    site = await start();
    expect(log).toEqual([expect.stringMatching(/^WordPress is ready on /)]);
    expect(readFileSync(path.join(folder, 'wordpress-admin.json'), 'utf8')).toBe(before);
    expect((await ask('/_turnout/healthz')).status).toBe(200);
  });

  test('serves on, request after request, while one PHP runtime follows another', async () => {
    const statuses: number[] = [];
    for (let batch = 0; batch < 115; batch += 1) {
      const answers = await Promise.all(Array.from({ length: 4 }, () => ask('/plans')));
      statuses.push(...answers.map(({ status }) => status));
    }
    expect(statuses).toEqual(Array.from({ length: 460 }, () => 200));
    // An interpreter looks after itself.
    const expected = environment?.php.kind === 'embedded' ? 2 : 0;
    expect(log.filter((line) => line.includes('fresh runtime'))).toHaveLength(expected);
  }, 300_000);
});

/** The cookies that an answer sets, as a request sends them. */
function cookiesOf(answer: Answer): string[] {
  return (answer.headers['set-cookie'] ?? []).map((cookie) => cookie.split(';', 1).join(''));
}

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  if (address === null || typeof address === 'string') throw new Error('Expected a TCP address.');
  return address.port;
}

/** Waits until a server accepts connections. */
async function connectable(port: number, child: ChildProcess): Promise<void> {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`The database ended with code ${child.exitCode}.`);
    const socket = net.connect(port, '127.0.0.1');
    // `once` rejects when the socket has an error.
    const connected = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (connected) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
