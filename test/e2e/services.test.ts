import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { createConnection } from 'mysql2/promise';
import { request } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  mariadbServer,
  missingPrograms,
  php,
  redisServer,
} from '../../scripts/stack/system-programs.ts';
import { visitorOfEachFrontend, type FrontendName } from '../kit/frontend-visitors.ts';
import { NAVIGATION, send } from '../kit/http.ts';
import { startStack, type StackProcess } from '../kit/stack-process.ts';

const FRONTENDS = [
  { name: 'wordpress', variant: 'control' },
  { name: 'next', variant: 'A' },
  { name: 'vue', variant: 'B' },
] as const;

/**
 * Whether this machine has what `--services` runs, so that the tests may be left out where
 * it has not. Under `CI=true` that is an error: there, nothing may go untested.
 */
async function hasServices(): Promise<boolean> {
  const { PATH = '' } = process.env;
  const missing = await missingPrograms([redisServer, mariadbServer, php], { PATH });
  if (missing.length === 0) return true;
  const what = missing.map(({ program, why }) => `${program.name}: ${why}`).join('; ');
  if (process.env['CI'] === 'true') throw new Error(`Missing for --services: ${what}`);
  process.stderr.write(`Tests of --services are left out: ${what}\n`);
  return false;
}

let stack: StackProcess;
let redis: Redis;
let visitors: Readonly<Record<FrontendName, string>>;

/** `turnout=1.<id>.<mirror>.<mac>` */
function visitorId(frontend: FrontendName): string {
  return visitors[frontend].split('.')[1] ?? '';
}

async function query(database: 'turnout' | 'wordpress', sql: string): Promise<unknown> {
  const { databasePassword: password }: { databasePassword: string } = JSON.parse(
    readFileSync(join(stack.dataDir, 'secrets.json'), 'utf8'),
  );
  const [host, port, user] = ['127.0.0.1', stack.port('mysql'), 'turnout'];
  const connection = await createConnection({ host, port, user, password, database });
  try {
    const [rows] = await connection.query(sql);
    return rows;
  } finally {
    await connection.end();
  }
}

describe.runIf(await hasServices())('npm start -- --services', () => {
  beforeAll(async () => {
    stack = await startStack({ args: ['--services'] });
    redis = new Redis(stack.port('redis'), '127.0.0.1');
    visitors = await visitorOfEachFrontend(stack.url);
  });
  afterAll(async () => {
    redis?.disconnect();
    await stack?.remove();
  });

  test.each(FRONTENDS)('$name serves its pages', async ({ name }) => {
    for (const path of ['/', '/plans', '/plans/soar', '/sign-up?plan=soar']) {
      const answer = await send(stack.url + path, { ...NAVIGATION, cookie: visitors[name] });
      expect({ path, status: answer.status }).toEqual({ path, status: 200 });
      expect(answer.text).toContain(`data-frontend="${name}"`);
      expect(answer.text).toContain('Soar');
    }
  });

  test.each(FRONTENDS)('the assignment to $variant is in Redis', async ({ name, variant }) => {
    expect(await redis.hgetall(`abtest:{${visitorId(name)}}`)).toEqual({
      'home-redesign': `${variant}:1:1`,
    });
    expect(await redis.ttl(`abtest:{${visitorId(name)}}`)).toBeGreaterThan(0);
  });

  test('Redis keeps what it is told, and evicts nothing', async () => {
    expect(await redis.config('GET', 'appendonly')).toEqual(['appendonly', 'yes']);
    expect(await redis.config('GET', 'appendfsync')).toEqual(['appendfsync', 'always']);
    expect(await redis.config('GET', 'maxmemory-policy')).toEqual([
      'maxmemory-policy',
      'noeviction',
    ]);
  });

  test('a sign-up at WordPress is in the database of the API', async () => {
    const form = new URLSearchParams({
      full_name: 'Zoë Müller 🐦',
      email: 'zoe@example.org',
      plan: 'flock',
    });
    const answer = await request(`${stack.url}/sign-up`, {
      method: 'POST',
      headers: {
        ...NAVIGATION,
        cookie: visitors.wordpress,
        'content-type': 'application/x-www-form-urlencoded',
      },
      body: form.toString(),
    });
    expect(answer.statusCode).toBe(200);
    expect(await answer.body.text()).toContain('Welcome, Zoë Müller 🐦');
    const rows = await query(
      'turnout',
      'SELECT name, email, plan, visitor, assignments FROM sign_ups',
    );
    expect(rows).toEqual([
      {
        name: 'Zoë Müller 🐦',
        email: 'zoe@example.org',
        plan: 'flock',
        visitor: visitorId('wordpress'),
        assignments: 'home-redesign=control',
      },
    ]);
  });

  test('WordPress keeps its site in a database of its own', async () => {
    const rows = await query(
      'wordpress',
      "SELECT option_value AS theme FROM wp_options WHERE option_name = 'stylesheet'",
    );
    expect(rows).toEqual([{ theme: 'tern-mobile' }]);
  });

  test('Ctrl-C ends all of it, the databases too', async () => {
    const commands = stack.processes().map(({ command }) => command);
    for (const program of ['redis-server', 'mariadbd', 'php']) {
      expect(commands.filter((command) => command.includes(program))).not.toEqual([]);
    }
    expect(await stack.stop()).toEqual({ code: 0, orphans: [] });
  });
});
