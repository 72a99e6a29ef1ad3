import { hash, randomUUID } from 'node:crypto';
import { Agent, createServer } from 'node:http';
import { createProxyServer } from 'http-proxy-3';
import { announce } from './announce.ts';

// A process of its own: the edge's job as one would write it by hand on http-proxy-3. It
// does less than the edge (no ledger, signature, access log, histogram or limit), so what
// it is beaten by is not features left out.
//
//   node http-proxy-3.ts UPSTREAM-URL EXPERIMENT VARIANTS
//
// VARIANTS: JSON, [{ "key": "control", "weight": 50 }, …], in percent

interface Share {
  readonly key: string;
  readonly weight: number;
}

const [target = '', experiment = '', shares = ''] = process.argv.slice(2);
const variants: readonly Share[] = JSON.parse(shares);
const slots = variants.flatMap(({ key, weight }) => Array<string>(weight * 100).fill(key));
const assigned = new Map<string, string>();
const served = new Map(variants.map(({ key }) => [key, 0]));

const proxy = createProxyServer({
  target,
  xfwd: true,
  agent: new Agent({ keepAlive: true, maxSockets: 256 }),
});
proxy.on('error', (_error, _request, response) => {
  if (!('writeHead' in response)) {
    response.destroy();
    return;
  }
  if (!response.headersSent) response.writeHead(502);
  response.end();
});

const server = createServer((request, response) => {
  const known = /(?:^|;\s*)visitor=([0-9a-f-]{36})(?:;|$)/.exec(request.headers.cookie ?? '')?.[1];
  const visitor = known ?? randomUUID();
  let variant = assigned.get(visitor);
  if (variant === undefined) {
    const draw = hash('sha256', `${experiment}:${visitor}`, 'buffer').readUInt32BE();
    variant = slots[draw % slots.length] ?? '';
    assigned.set(visitor, variant);
  }
  served.set(variant, (served.get(variant) ?? 0) + 1);
  if (known === undefined) {
    response.setHeader('Set-Cookie', `visitor=${visitor}; HttpOnly; SameSite=Lax; Path=/`);
  }
  request.headers['x-request-id'] = randomUUID();
  request.headers['x-turnout-visitor'] = visitor;
  request.headers['x-turnout-assignments'] = `${experiment}=${variant}`;
  proxy.web(request, response);
});
announce(server);
