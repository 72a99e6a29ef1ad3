import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runTurnout, startEdge } from '../kit/edge-process.ts';
import { send } from '../kit/http.ts';
import { startLightUpstreams } from '../kit/light-upstreams.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'turnout-config-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const PLAIN = `
public: { port: 0 }
private: { port: 0 }
upstreams: { site: { url: "http://127.0.0.1:9" } }
default: site
`;

const EXPERIMENT = `${PLAIN}
experiments:
  - key: home
    status: running
    variants:
      - { key: control, upstream: site, weight: 50, control: true }
      - { key: A, upstream: site, weight: 50 }
`;

async function serve(source: string, env: Readonly<Record<string, string>> = {}) {
  const file = join(folder, 'turnout.yaml');
  await writeFile(file, source);
  return runTurnout(['serve', '--config', file], env);
}

describe('a start that can not succeed ends with the reason', () => {
  test('unknown keys, weights, urls and names: all at once, with their lines', async () => {
    const { code, stderr } = await serve(`
public: { port: 0, hots: [localhost] }
upstreams: { site: { url: "127.0.0.1:3000" } }
default: sight
experiments:
  - key: home
    status: running
    variants:
      - { key: control, upstream: site, weight: 50, control: true }
      - { key: A, upstream: site, weight: 40 }
`);
    expect(code).toBe(1);
    expect(stderr).toContain("can't be used, 4 problems:");
    expect(stderr).toContain('turnout.yaml:2:26: public.hots: unknown key');
    expect(stderr).toContain('turnout.yaml:3:27: upstreams.site.url: expected an upstream such as');
    expect(stderr).toContain('turnout.yaml:4:10: default: no upstream "sight"; there are: site');
    expect(stderr).toContain(
      'experiments[0].variants: weights must add up to 100, got 50 + 40 = 90',
    );
  });

  test('no such file', async () => {
    const { code, stderr } = await runTurnout(['serve', '--config', join(folder, 'none.yaml')]);
    expect(code).toBe(1);
    expect(stderr).toContain('none.yaml');
    expect(stderr).toContain('--config FILE');
  });

  test.each([
    ['public', 'TURNOUT_PORT'],
    ['private', 'TURNOUT_PRIVATE_PORT'],
  ])('the %s port is taken', async (which, variable) => {
    const holder = createServer().listen(0, '127.0.0.1');
    await once(holder, 'listening');
    const address = holder.address();
    const port = typeof address === 'object' && address !== null ? String(address.port) : '';
    try {
      const { code, stderr } = await serve(
        `${PLAIN}\n`.replace('public: {', 'public: { address: 127.0.0.1,'),
        {
          [variable]: port,
        },
      );
      expect(code).toBe(1);
      expect(stderr).toContain(`The ${which} port ${port} is taken by another program.`);
      expect(stderr).toContain(variable);
    } finally {
      holder.close();
    }
  });

  test('a data folder that can not be written', async () => {
    // A file in its place stops every user, root too, as a read-only disk would.
    await writeFile(join(folder, 'file'), '');
    const { code, stderr } = await serve(EXPERIMENT, {
      TURNOUT_DATA_DIR: join(folder, 'file', 'data'),
    });
    expect(code).toBe(1);
    expect(stderr).toContain("Can't write in the data folder");
    expect(stderr).toContain('TURNOUT_DATA_DIR');
  });

  test('damaged secrets are never replaced behind the visitors backs', async () => {
    const data = join(folder, 'damaged');
    await mkdir(data);
    await writeFile(join(data, 'secrets.json'), '{"cookieSecrets": [');
    const { code, stderr } = await serve(EXPERIMENT, { TURNOUT_DATA_DIR: data });
    expect(code).toBe(1);
    expect(stderr).toContain('secrets.json is damaged');
  });

  test('an unknown command or option names the help', async () => {
    for (const args of [['sevre'], ['serve', '--confg', 'x']]) {
      const { code, stderr } = await runTurnout(args);
      expect(code).toBe(2);
      expect(stderr).toContain('error: unknown');
    }
  });
});

test('turnout serve --help tells the smallest configuration, and it works', async () => {
  const { code, stdout } = await runTurnout(['serve', '--help']);
  expect(code).toBe(0);
  const [, example = ''] = /\n\n( {2}public:[\s\S]*?)\n\n/.exec(stdout) ?? [];
  expect(example).toContain('default: site');

  const upstreams = await startLightUpstreams(['site']);
  const edge = await startEdge({
    config: { ...parse(example), public: { port: 0, hosts: ['*'] }, upstreams: upstreams.config },
  });
  try {
    const answer = await send(`${edge.url}/any/path?q=1`, { host: 'shop.example', accept: '*/*' });
    expect([answer.status, answer.text]).toEqual([200, 'site']);
    // A plain reverse proxy: no cookie, no experiment, nothing kept.
    expect(answer.headers['set-cookie']).toBeUndefined();
    expect(answer.headers['cache-control']).toBeUndefined();
    expect(await readdir(edge.dataDir)).toEqual(['turnout.yaml']);
  } finally {
    await edge.remove();
    await upstreams.close();
  }
});

test('a name that is not in public.hosts is refused before any upstream sees it', async () => {
  const upstreams = await startLightUpstreams(['site']);
  const edge = await startEdge({ config: { upstreams: upstreams.config, default: 'site' } });
  try {
    for (const host of ['evil.example', 'localhost.evil.example', 'evil.example:80']) {
      expect((await send(`${edge.url}/`, { host })).status).toBe(421);
    }
    expect(upstreams.lastHeaders.size).toBe(0);
    expect((await send(`${edge.url}/`, { host: 'LOCALHOST:1234' })).status).toBe(200);
  } finally {
    await edge.remove();
    await upstreams.close();
  }
});
