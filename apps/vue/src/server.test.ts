import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test } from 'vitest';
import { sendJson, soar, startPlanServer } from './testing/plan-server.ts';

function startProcess(env: Record<string, string>) {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'server.ts')], {
    env: { ...process.env, HOST: '127.0.0.1', PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  return child;
}

test('in development: pages, modules and the push socket on one port; SIGTERM ends it', async () => {
  const apiUrl = await startPlanServer((_request, response) =>
    sendJson(response, 200, { plans: [soar] }),
  );
  const child = startProcess({ NODE_ENV: 'development', TURNOUT_API_URL: apiUrl.href });
  const [line]: unknown[] = await once(createInterface(child.stdout), 'line');
  const origin = /http:\/\/\S+/.exec(String(line))?.[0] ?? '';

  const page = await fetch(`${origin}/vue/plans`);
  const html = await page.text();
  expect(page.status).toBe(200);
  expect(html).toContain('Soar details');
  expect(html).toContain('<title>Plans – Tern Mobile</title>');
  for (const [, file] of html.matchAll(/(?:src|href)="(\/_mfe\/vue\/[^"]+)"/g)) {
    expect([file, (await fetch(origin + file)).status]).toEqual([file, 200]);
  }
  expect((await fetch(`${origin}/_mfe/vue/healthz`)).status).toBe(200);
  expect((await fetch(`${origin}/_mfe/vue/none.js`)).status).toBe(404);
  expect((await fetch(`${origin}/plans/%E0%A4%A`)).status).toBe(404);

  // Vite's own client opens its socket on the page's host and port: no other is named in it.
  const client = await (await fetch(`${origin}/_mfe/vue/@vite/client`)).text();
  expect(client).toMatch(/const hmrPort = null;/);
  const token = /const wsToken = "([^"]+)"/.exec(client)?.[1] ?? '';
  const socket = new WebSocket(
    `${origin.replace('http', 'ws')}/_mfe/vue/__hmr?token=${token}`,
    'vite-hmr',
  );
  await once(socket, 'open');

  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  expect(await exit).toEqual([0, null]);
});

test.each([
  ['PORT', 'eighty', /PORT: expected a port number from 0 to 65535, got "eighty"/],
  ['TURNOUT_API_URL', 'localhost', /TURNOUT_API_URL: expected a URL such as .*, got "localhost"/],
  ['TURNOUT_EDGE_URL', 'edge:80', /TURNOUT_EDGE_URL: expected a URL such as .*, got "edge:80"/],
])('a wrong %s is named', async (name, value, message) => {
  const child = startProcess({ NODE_ENV: 'development', [name]: value });
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString();
  });
  const [code]: unknown[] = await once(child, 'close');
  expect(code).toBe(1);
  expect(errors).toMatch(message);
});
