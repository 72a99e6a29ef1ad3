import { createServer } from 'node:http';
import { announce } from './announce.ts';
import { ECHO_PATH, PAGE, type Echo } from './page.ts';

// A process of its own: the static server behind the proxies, and, asked directly, the
// bound that no proxy written on node:http can pass.

const page = Buffer.from(PAGE);

const server = createServer((request, response) => {
  if (request.url === ECHO_PATH) {
    const headers = Object.entries(request.headersDistinct).map(([name, values]) => [
      name,
      values?.join(', ') ?? '',
    ]);
    const echo: Echo = { headers: Object.fromEntries(headers) };
    response.writeHead(200, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify(echo));
    return;
  }
  response.writeHead(200, {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Length': page.length,
  });
  response.end(page);
});
// Longer than any pause between rounds: no contender is to pay for a connection closed here.
server.keepAliveTimeout = 600_000;
announce(server);
