import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from 'node:http';
import { text } from 'node:stream/consumers';
import { reportSchema } from '@turnout/contracts/event';
import { describe, expect, onTestFinished, test } from 'vitest';
import table from '../../../test/cases/conversions.json' with { type: 'json' };
import { conversionRequest, reportConversion } from './server.ts';

describe('conversionRequest', () => {
  test.each(table.cases)('$name', ({ edgeUrl, cookie, requestId, conversion, request }) => {
    const sent = conversionRequest(
      new URL(edgeUrl),
      conversion,
      { cookie: cookie ?? undefined, 'x-request-id': requestId ?? undefined },
      table.eventId,
      table.at,
    );
    expect(sent === undefined ? null : { ...sent, body: JSON.parse(sent.body) }).toEqual(request);
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY])(
    'a value of %d costs the value, and not the conversion',
    (value) => {
      const request = { cookie: 'turnout=1.a' };
      const ofValue = (worth?: number) =>
        conversionRequest(
          new URL('http://127.0.0.1:8080'),
          { metric: 'signup', value: worth },
          request,
          table.eventId,
          table.at,
        );
      expect(ofValue(value)).toEqual(ofValue());
    },
  );

  test('every report of the table is one that the edge can read', () => {
    const bodies = table.cases.flatMap(({ request }) => (request === null ? [] : [request.body]));
    expect(bodies.length).toBeGreaterThan(5);
    for (const body of bodies) expect(reportSchema.safeParse(body).error).toBeUndefined();
  });
});

interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
}

/** @returns where it listens */
async function listen(listener: RequestListener): Promise<URL> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('Expected a TCP address.');
  return new URL(`http://127.0.0.1:${address.port}`);
}

/** An edge that answers with each status in turn; 0 breaks the connection. */
async function startEdge(...statuses: number[]): Promise<{ url: URL; received: Received[] }> {
  const received: Received[] = [];
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    received.push({ headers: request.headers, body: JSON.parse(await text(request)) });
    const status = statuses.shift() ?? 202;
    if (status === 0) request.socket.destroy();
    else response.writeHead(status).end(`answer ${status}`);
  };
  const url = await listen((request, response) => void answer(request, response));
  return { url, received };
}

const VISITOR = { cookie: 'turnout=1.a' };

async function report(edgeUrl: URL, options: { cookie?: string; timeout?: number } = {}) {
  const lines: string[] = [];
  const { cookie, ...rest } = options;
  await reportConversion({ metric: 'signup', value: 18 }, cookie === '' ? {} : VISITOR, {
    edgeUrl,
    log: (line) => lines.push(line),
    ...rest,
  });
  return lines;
}

describe('reportConversion', () => {
  test('tells the edge who converted', async () => {
    const { url, received } = await startEdge();
    expect(await report(url)).toEqual([]);
    expect(received).toMatchObject([
      {
        headers: { cookie: VISITOR.cookie, 'content-type': 'application/json' },
        body: { events: [{ metric: 'signup', did_convert: true, value: 18 }] },
      },
    ]);
    expect(reportSchema.safeParse(received[0]?.body).error).toBeUndefined();
  });

  test('says nothing of somebody who is no visitor', async () => {
    const { url, received } = await startEdge();
    expect(await report(url, { cookie: '' })).toEqual([]);
    expect(received).toEqual([]);
  });

  test.each([[503], [0]])('tries once more after %i, as the same event', async (status) => {
    const { url, received } = await startEdge(status);
    expect(await report(url)).toEqual([]);
    expect(received).toHaveLength(2);
    expect(received[1]?.body).toEqual(received[0]?.body);
  });

  test('logs a refusal, and does not repeat itself', async () => {
    const { url, received } = await startEdge(422);
    expect(await report(url)).toEqual([
      `conversion of signup not reported: POST ${url.href}_turnout/v1/events: expected status 202, got 422: answer 422`,
    ]);
    expect(received).toHaveLength(1);
  });

  test('knows an address that is no edge’s by its answer, and logs a line of it', async () => {
    const url = await listen((_, response) => {
      response.end(`<!doctype html>\n<p>${'Hello. '.repeat(1_000)}</p>`);
    });
    const [line = '', ...more] = await report(url);
    expect(more).toEqual([]);
    expect(line).toContain('expected status 202, got 200: <!doctype html> <p>Hello.');
    expect(line).not.toContain('\n');
    expect(line.length).toBeLessThan(500);
  });

  test('takes 204 for an answer: there is nobody to be counted', async () => {
    const { url, received } = await startEdge(204);
    expect(await report(url)).toEqual([]);
    expect(received).toHaveLength(1);
  });

  test('logs an edge that breaks off, and one that does not answer', async () => {
    const { url, received } = await startEdge(0, 0);
    expect(await report(url)).toEqual([expect.stringMatching(/not reported: .*fetch failed: /)]);
    expect(received).toHaveLength(2);
    const silent = await listen(() => {});
    expect(await report(silent, { timeout: 50 })).toEqual([expect.stringContaining('timeout')]);
  });
});
