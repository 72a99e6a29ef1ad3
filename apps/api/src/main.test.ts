import { chmod, mkdir, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createConnection } from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { signUpSchema } from '@turnout/contracts/product';
import { hasMariadb, startMariadb } from '../../../test/kit/mariadb-server.ts';
import type { MariadbServer } from '../../../test/kit/mariadb-server.ts';
import { startApi } from './testing/api-process.ts';
import { describeDatabases, query, temporaryFolders } from './testing/databases.ts';
import { migrations } from './repository/migrations.ts';
import type { RepositoryLocation } from './repository/open-repository.ts';

const folders = temporaryFolders();

function environment(location: RepositoryLocation) {
  return { TURNOUT_DATA_DIR: location.dataFolder, TURNOUT_MYSQL_URL: location.mysqlUrl };
}

function signUp(url: string, headers: Record<string, string> = {}) {
  return fetch(`${url}/api/sign-ups`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify({ plan: 'soar', name: 'Ada', email: 'ada@example.org' }),
  });
}

describeDatabases('API process', (kind) => {
  test('three that start at once on an empty database migrate it once', async () => {
    const location = await kind.fresh();
    const processes = Array.from({ length: 3 }, () => startApi(environment(location)));
    for (const { url } of processes) {
      const response = await fetch(`${await url}/healthz`);
      expect(response.status).toBe(200);
    }
    expect(await query(location, 'SELECT id FROM plans')).toHaveLength(5);
    expect(await query(location, 'SELECT version FROM product_migrations')).toHaveLength(
      migrations.length,
    );
  });

  test('kill -9 in the middle of sign-ups loses none that was answered with 201', async () => {
    const location = await kind.fresh();
    const api = startApi(environment(location));
    const url = await api.url;
    const confirmed: string[] = [];
    const clients = Array.from({ length: 10 }, async () => {
      for (;;) {
        const response = await signUp(url);
        const { id } = signUpSchema.parse(await response.json());
        confirmed.push(id);
        if (confirmed.length === 60) api.kill('SIGKILL');
      }
    });
    // Every client ends with the connection that the kill cut.
    await Promise.allSettled(clients);
    await api.ended;
    expect(confirmed.length).toBeGreaterThanOrEqual(60);
    const again = startApi(environment(location));
    expect((await fetch(`${await again.url}/healthz`)).status).toBe(200);
    const stored = await query(location, 'SELECT id FROM sign_ups');
    expect(new Set(stored.map(({ id }) => id))).toEqual(
      new Set([...confirmed, ...stored.map(({ id }) => id)]),
    );
  });

  test('stores times in UTC, wherever the machine stands', async () => {
    const location = await kind.fresh();
    const api = startApi({ ...environment(location), TZ: 'Asia/Kolkata' });
    const { createdAt } = signUpSchema.parse(await (await signUp(await api.url)).json());
    expect(Math.abs(Date.now() - Date.parse(createdAt))).toBeLessThan(60_000);
    const [row] = await query(location, 'SELECT created_at FROM sign_ups');
    expect(row).toEqual({
      created_at: kind.name === 'SQLite' ? createdAt : new Date(createdAt),
    });
  });

  test('SIGTERM answers what is under way, drops idle connections and ends with 0', async () => {
    const location = await kind.fresh();
    const api = startApi(environment(location));
    const url = new URL(await api.url);
    // An idle keep-alive connection, and a request whose body is still on its way.
    expect((await fetch(new URL('/healthz', url))).status).toBe(200);
    const body = JSON.stringify({ plan: 'soar', name: 'Ada', email: 'ada@example.org' });
    const socket = connect(Number(url.port), url.hostname);
    const answer = Promise.withResolvers<string>();
    let received = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      if (received === '') api.kill('SIGTERM');
      received += chunk;
    });
    socket.once('close', () => answer.resolve(received));
    socket.write(
      'POST /api/sign-ups HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n' +
        `Expect: 100-continue\r\nContent-Length: ${body.length}\r\n\r\n`,
    );
    await api.logged(/stopping/);
    const started = performance.now();
    socket.write(body);
    expect(await answer.promise).toMatch(/HTTP\/1\.1 201 Created/);
    expect(await api.ended).toMatchObject({ code: 0, signal: null });
    // Sooner than the 3.5 s after which connections are cut off.
    expect(performance.now() - started).toBeLessThan(3_000);
    expect(await query(location, 'SELECT id FROM sign_ups')).toHaveLength(1);
  });
});

test('SIGTERM ends within 5 s although a client never finishes its request', async () => {
  const api = startApi({ TURNOUT_DATA_DIR: await folders.make() });
  const url = new URL(await api.url);
  const socket = connect(Number(url.port), url.hostname);
  onTestFinished(() => void socket.destroy());
  const dropped = new Promise((resolve) => {
    socket.once('close', resolve);
  });
  socket.on('error', () => undefined);
  socket.on('data', () => api.kill('SIGTERM'));
  socket.write(
    'POST /api/sign-ups HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n' +
      'Expect: 100-continue\r\nContent-Length: 9\r\n\r\n',
  );
  await api.logged(/stopping/);
  const started = performance.now();
  expect(await api.ended).toMatchObject({ code: 0 });
  expect(performance.now() - started).toBeLessThan(5_000);
  await dropped;
});

describe('a start that can not succeed says what to change', () => {
  test('taken port', async () => {
    const holder = createServer();
    await new Promise<void>((resolve) => {
      holder.listen(0, '127.0.0.1', resolve);
    });
    onTestFinished(() => void holder.close());
    const address = holder.address();
    const port = String(typeof address === 'object' && address ? address.port : 0);
    const TURNOUT_DATA_DIR = await folders.make();
    for (const name of ['PORT', 'TURNOUT_API_PORT']) {
      const api = startApi({ TURNOUT_DATA_DIR, PORT: '', [name]: port });
      expect(await api.ended).toEqual({
        code: 1,
        signal: null,
        messages: [
          `Port ${port} on 127.0.0.1 is taken. Set ${name} to a free port, or end the program that listens there.`,
        ],
      });
    }
  });

  test('settings', async () => {
    const api = startApi({ PORT: 'http', TURNOUT_MYSQL_URL: 'secret' });
    expect(await api.ended).toMatchObject({
      code: 1,
      messages: [expect.stringMatching(/^PORT must be .* TURNOUT_MYSQL_URL must /)],
    });
  });

  test('address of another machine', async () => {
    const api = startApi({ HOST: '192.0.2.1', TURNOUT_DATA_DIR: await folders.make() });
    expect(await api.ended).toMatchObject({
      code: 1,
      messages: [expect.stringMatching(/^192\.0\.2\.1 is no address of this machine\. Set HOST/)],
    });
  });

  test('read-only data folder', async () => {
    const folder = join(await folders.make(), 'data');
    await mkdir(folder);
    await chmod(join(folder, '..'), 0o755);
    await chmod(folder, 0o555);
    // Root writes where it likes, so as root the API runs as nobody.
    const nobody = process.getuid?.() === 0 ? { uid: 65_534 } : {};
    const api = startApi({ TURNOUT_DATA_DIR: folder }, nobody);
    expect(await api.ended).toMatchObject({
      code: 1,
      messages: [
        expect.stringMatching(/product\.sqlite can not be written\. .* set TURNOUT_DATA_DIR/),
      ],
    });
  });

  test('data folder that is a file', async () => {
    const file = join(await folders.make(), 'data');
    await writeFile(file, '');
    const api = startApi({ TURNOUT_DATA_DIR: file });
    expect(await api.ended).toMatchObject({
      code: 1,
      messages: [expect.stringMatching(/can not be written/)],
    });
  });

  test('file that is no database, which stays as it is', async () => {
    const folder = await folders.make();
    const file = join(folder, 'product.sqlite');
    await writeFile(file, 'not a database, but precious '.repeat(100));
    const { size } = await stat(file);
    const api = startApi({ TURNOUT_DATA_DIR: folder });
    expect(await api.ended).toMatchObject({
      code: 1,
      messages: [expect.stringMatching(/is no intact SQLite database\. Put back a backup/)],
    });
    expect((await stat(file)).size).toBe(size);
  });
});

describe.runIf(hasMariadb())('with a MariaDB server that comes and goes', () => {
  let server: MariadbServer;
  beforeAll(async () => {
    server = await startMariadb();
  }, 60_000);
  afterAll(() => server.stop());

  test.each([
    ['user', (url: string) => url.replace('root@', 'nobody:secret@'), /Correct the user/],
    ['database', (url: string) => `${url}_none`, /Create the database/],
  ])('an unknown %s fails at once, without showing the password', async (_what, change, fix) => {
    const api = startApi({ TURNOUT_MYSQL_URL: change(server.url) });
    const { code, messages } = await api.ended;
    expect(code).toBe(1);
    expect(messages).toEqual([expect.stringMatching(fix)]);
    expect(messages.join('')).not.toMatch(/secret/);
  });

  test('the API waits for one that is still starting', async () => {
    const url = await server.createDatabase();
    await server.kill();
    const api = startApi({ TURNOUT_MYSQL_URL: url });
    await api.logged(/does not answer .* Next try in \d+ ms/);
    await server.restart();
    expect((await fetch(`${await api.url}/healthz`)).status).toBe(200);
  });

  test('the API waits for one that stalls while the experiments are seeded', async () => {
    const url = await server.createDatabase();
    // Without a configuration it makes the tables, and no experiment.
    const TURNOUT_CONFIG = join(await folders.make(), 'none.yaml');
    const first = startApi({ TURNOUT_MYSQL_URL: url, TURNOUT_CONFIG });
    await first.url;
    first.kill('SIGTERM');
    await first.ended;
    const other = await createConnection(url);
    onTestFinished(() => other.end());
    await other.beginTransaction();
    await other.query('UPDATE experiment_snapshot SET revision = revision + 1');

    const api = startApi({ TURNOUT_MYSQL_URL: url });
    await api.logged(/does not answer .* Next try in \d+ ms/);
    await other.commit();
    await api.url;
    const [rows] = await other.query('SELECT experiment, revision FROM experiments');
    expect(rows).toMatchObject([{ experiment: 'home-redesign', revision: 1 }]);
  });

  test('an outage means 503, its end 200, and the same key no second sign-up', async () => {
    const url = await server.createDatabase();
    const api = startApi({ TURNOUT_MYSQL_URL: url });
    const base = await api.url;
    const key = { 'Idempotency-Key': 'one' };
    expect((await signUp(base, key)).status).toBe(201);

    server.pause();
    const hung = await Promise.all([
      ...['/healthz', '/api/plans'].map((path) => fetch(`${base}${path}`)),
      ...Array.from({ length: 20 }, () => signUp(base, key)),
    ]);
    expect(hung.map(({ status }) => status)).toEqual(hung.map(() => 503));
    server.resume();
    await expect
      .poll(async () => (await fetch(`${base}/healthz`)).status, { timeout: 10_000 })
      .toBe(200);

    await server.kill();
    const down = await fetch(`${base}/api/plans`);
    expect([down.status, down.headers.get('Retry-After')]).toEqual([503, '5']);
    await server.restart();
    await expect
      .poll(async () => (await fetch(`${base}/healthz`)).status, { timeout: 10_000 })
      .toBe(200);

    // A busy machine may take longer than the API waits; then, as for any client, 503 means again.
    await expect.poll(async () => (await signUp(base, key)).status, { timeout: 10_000 }).toBe(201);
    const location = { dataFolder: '', mysqlUrl: url };
    expect(await query(location, 'SELECT id FROM sign_ups')).toHaveLength(1);
  }, 60_000);
});
