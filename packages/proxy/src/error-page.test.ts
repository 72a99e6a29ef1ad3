import { describe, expect, test } from 'vitest';
import { httpServer, rawClient, rawExchange, readAll } from '../test/loopback.ts';
import { sendErrorPage } from './error-page.ts';
import type { ErrorPage } from './error-page.ts';

async function answerWith(page: Partial<ErrorPage>, init: RequestInit = {}): Promise<Response> {
  const { port } = await httpServer((request, response) => {
    sendErrorPage(request, response, { status: 502, requestId: '0190-id', ...page });
  });
  return fetch(`http://127.0.0.1:${port}/`, init);
}

function accepting(accept: string): RequestInit {
  return { headers: { accept } };
}

const browser = 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8';

describe('sendErrorPage', () => {
  test.each([
    [browser, 'text/html; charset=utf-8'],
    ['text/*', 'text/html; charset=utf-8'],
    ['application/json', 'application/problem+json'],
    ['application/problem+json', 'application/problem+json'],
    ['application/*;q=0.3, text/plain;q=0.2', 'application/problem+json'],
    ['text/html;q=0.1, application/json;q=0.9', 'application/problem+json'],
    ['TEXT/HTML;Q=0.5', 'text/html; charset=utf-8'],
    ['text/html;q=0', 'text/plain; charset=utf-8'],
    ['*/*', 'text/plain; charset=utf-8'],
    ['image/png', 'text/plain; charset=utf-8'],
    ['text/html;q=', 'text/html; charset=utf-8'],
    ['text/html;q=...', 'text/plain; charset=utf-8'],
    [';,;q=1,', 'text/plain; charset=utf-8'],
  ])('Accept: %s gets %s', async (accept, type) => {
    const answer = await answerWith({}, accepting(accept));
    expect(answer.status).toBe(502);
    expect(answer.headers.get('content-type')).toBe(type);
    expect(await answer.text()).toContain('0190-id');
  });

  test('is never stored, never sniffed, and runs nothing', async () => {
    const { headers } = await answerWith({}, accepting(browser));
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('vary')).toBe('Accept');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
  });

  test('a 503 says when to come back; others only if told', async () => {
    expect((await answerWith({ status: 503 })).headers.get('retry-after')).toBe('5');
    expect((await answerWith({ status: 503, retryAfter: 30 })).headers.get('retry-after')).toBe(
      '30',
    );
    expect((await answerWith({ status: 502 })).headers.get('retry-after')).toBeNull();
    expect((await answerWith({ status: 429, retryAfter: 0.2 })).headers.get('retry-after')).toBe(
      '1',
    );
  });

  test('a problem document holds title, status and request id (RFC 9457)', async () => {
    const answer = await answerWith({ status: 504 }, accepting('application/json'));
    expect(await answer.json()).toEqual({
      type: 'about:blank',
      title: 'This is taking too long',
      status: 504,
      detail: 'The page did not come in time. Please try again in a moment.',
      requestId: '0190-id',
    });
  });

  test('a page is whole, small, needs nothing else, and names no software', async () => {
    const text = await (await answerWith({ status: 503 }, accepting(browser))).text();
    expect(text).toMatch(/^<!doctype html>\n<html lang="en">/);
    expect(text).toContain('<h1>We will be right back</h1>');
    expect(text.length).toBeLessThan(3000);
    expect(text).not.toMatch(/src=|href=|url\(|<script|node|undici|turnout|upstream/i);
  });

  test('a request id from elsewhere cannot write the page', async () => {
    const answer = await answerWith(
      { requestId: "\"><script>alert('1')</script>&" },
      accepting(browser),
    );
    expect(await answer.text()).toContain(
      '<code>&#34;&#62;&#60;script&#62;alert(&#39;1&#39;)&#60;/script&#62;&#38;</code>',
    );
  });

  test('a status without words of its own is explained all the same', async () => {
    expect(await (await answerWith({ status: 507 })).text()).toBe(
      '507 Insufficient Storage\nThe request could not be answered.\nRequest id: 0190-id\n',
    );
    expect(await (await answerWith({ status: 599 })).text()).toMatch(/^599 Error\n/);
  });

  test('HEAD gets the head alone', async () => {
    const { port } = await httpServer((request, response) => {
      sendErrorPage(request, response, { status: 503, requestId: '1' });
    });
    const answer = await rawExchange(
      port,
      'HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
    );
    expect(answer).toMatch(/^HTTP\/1.1 503 [^]*\r\nContent-Length: [1-9]\d+\r\n[^]*\r\n\r\n$/);
  });

  test('fields that were set before are sent as well', async () => {
    const { port } = await httpServer((request, response) => {
      response.setHeader('X-Request-Id', '1');
      sendErrorPage(request, response, { status: 502, requestId: '1' });
    });
    const { headers } = await fetch(`http://127.0.0.1:${port}/`);
    expect(headers.get('x-request-id')).toBe('1');
    expect(headers.get('cache-control')).toBe('no-store');
  });

  test('fields of the caller are sent as well, each as often as it is there', async () => {
    const { headers } = await answerWith({
      headers: ['X-Request-Id', '1', 'Set-Cookie', 'a=1', 'Set-Cookie', 'b=2'],
    });
    expect(headers.get('x-request-id')).toBe('1');
    expect(headers.getSetCookie()).toEqual(['a=1', 'b=2']);
    expect(headers.get('cache-control')).toBe('no-store');
  });

  test.each([
    [{ status: 502 }, false],
    [{ status: 502, close: true }, true],
    [{ status: 408 }, true],
    [{ status: 408, close: false }, false],
  ])('%o ends the connection: %s', async (page, closes) => {
    const { port } = await httpServer((request, response) => {
      if (request.url === '/2') response.writeHead(200, { Connection: 'close' }).end('second');
      else sendErrorPage(request, response, { requestId: '1', ...page });
    });
    const client = rawClient(port);
    client.write('GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n');
    const answers = await readAll(client);
    expect(answers.startsWith(`HTTP/1.1 ${page.status} `)).toBe(true);
    expect(answers.includes('second')).toBe(!closes);
  });

  test('an answer that has begun is broken off instead', async () => {
    const { port } = await httpServer((request, response) => {
      response.writeHead(200, { 'Content-Length': 100 });
      response.write('half', () =>
        sendErrorPage(request, response, { status: 502, requestId: '1' }),
      );
    });
    const answer = await rawExchange(port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1.1 200 [^]*\r\n\r\nhalf$/);
  });
});
