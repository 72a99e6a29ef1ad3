import { once } from 'node:events';
import { createServer } from 'node:http';
import type { RequestListener } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import type { TrafficReport } from '@turnout/contracts/traffic';
import { createReadEdges, upToDate } from './read-edges.ts';

const report: TrafficReport = {
  run: 'one',
  snapshot: 4,
  firstByteBounds: [0.1],
  variants: [
    {
      experiment: 'home',
      variant: 'B',
      requests: 3,
      serverErrors: 1,
      newVisitors: 2,
      firstByte: [2, 1],
    },
  ],
};

/** A server on a port of its own; @returns its URL */
async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('Expected a TCP port');
  return `http://127.0.0.1:${address.port}`;
}

test('reads all edges, and says of each other one why not', async () => {
  const paths: (string | undefined)[] = [];
  const good = await serve((request, response) => {
    paths.push(request.url);
    response.end(JSON.stringify(report));
  });
  const visitorsPort = await serve((_request, response) => response.writeHead(404).end('no'));
  const odd = await serve((_request, response) => response.end('{"run":7}'));
  const cut = await serve((_request, response) => response.destroy());
  const away = await serve((_request, response) =>
    response.writeHead(302, { Location: good }).end(),
  );
  const { reports, unread } = await createReadEdges([good, visitorsPort, odd, cut, away])();
  expect(paths).toEqual(['/v1/traffic']);
  expect(reports).toEqual(
    new Map([
      [good, report],
      ...[visitorsPort, odd, cut, away].map((url) => [url, undefined] as const),
    ]),
  );
  expect(new Set(unread)).toEqual(
    new Set([
      `the edge at ${visitorsPort} (it answers 404: is this its private port?)`,
      `the edge at ${odd} (it tells its traffic in another form; is it as new as the API?)`,
      `the edge at ${cut} (other side closed)`,
      `the edge at ${away} (unexpected redirect)`,
    ]),
  );
});

test('gives an edge up that is silent', async () => {
  const silent = await serve(() => {});
  const { unread } = await createReadEdges([silent], 50)();
  expect(unread).toEqual([`the edge at ${silent} (The operation was aborted due to timeout)`]);
});

test('leaves out what edges count that decide by an older snapshot', () => {
  const read = {
    reports: new Map([
      ['http://a', report],
      ['http://b', { ...report, snapshot: 3 }],
      ['http://c', undefined],
    ]),
    unread: ['the edge at http://c (gone)'],
  };
  expect(upToDate(read, 3)).toEqual(read);
  expect(upToDate(read, 4)).toEqual({
    reports: new Map([
      ['http://a', report],
      ['http://b', undefined],
      ['http://c', undefined],
    ]),
    unread: [
      'the edge at http://b (it decides by snapshot 3, expected 4)',
      'the edge at http://c (gone)',
    ],
  });
});
