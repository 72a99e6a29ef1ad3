import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Conversion, ConvertingRequest } from '@turnout/client/server';
import type { SignUpForm, SignUpOutcome } from '../shop/shop-api.ts';
import { SIGN_UP, signUpValue } from '../shop/sign-up-conversion.ts';
import type { ShopState } from '../shop/shop.ts';
import { acceptedEncoding, encodeBody } from './content-encoding.ts';
import { documentHtml } from './document.ts';
import { FormBodyError, readFormBody } from './form-body.ts';
import { ASSET_PREFIX, type Frontend, type OpenFrontend } from './frontend.ts';
import { locatePage } from './page-path.ts';
import type { ProductApi } from './product-api.ts';

/** The sign-up form's longest honest body is under 2 KB, percent-encoded. */
const FORM_LIMIT_BYTES = 16_384;
/** Above the idle time of the edge's connection pool, so that the edge closes first. */
const KEEP_ALIVE_MS = 75_000;
const FORWARDED_HEADERS = ['x-request-id', 'x-turnout-visitor', 'x-turnout-assignments'];

const PAGE_HEADERS = {
  'Content-Type': 'text/html; charset=utf-8',
  'Referrer-Policy': 'strict-origin-when-cross-origin',
  'X-Content-Type-Options': 'nosniff',
  Vary: 'Accept-Encoding',
};

export interface ShopServerOptions {
  openFrontend: OpenFrontend;
  api: ProductApi;
  /** Reports a conversion of the visitor whose request has these headers. Never rejects. */
  report: (conversion: Conversion, request: ConvertingRequest) => Promise<void>;
  /** Told of every page that could not be rendered. */
  log: (line: string) => void;
}

export interface ShopServer {
  readonly server: Server;
  /** Ends idle connections at once, the others after their answer, or after `graceMs`. */
  close(graceMs: number): Promise<void>;
}

/** The shop's web server: health, files under the asset prefix, pages, and the posted form. */
export async function createShopServer(options: ShopServerOptions): Promise<ShopServer> {
  let closing = false;
  const answering = new Set<ServerResponse>();
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS });
  const frontend = await options.openFrontend(server);
  server.on('request', (request, response) => {
    if (closing) response.setHeader('Connection', 'close');
    answering.add(response);
    response.once('close', () => answering.delete(response));
    answer(request, response, frontend, options).catch((error: unknown) => {
      options.log(
        `${request.method} ${request.url} failed: ${error instanceof Error ? error.stack : String(error)}`,
      );
      if (response.headersSent) response.destroy();
      else sendText(response, 500, 'Something went wrong on our side. Please try again.');
    });
  });
  return {
    server,
    async close(graceMs) {
      closing = true;
      // The client's pool learns that the connection ends with the answer, and takes another one.
      for (const response of answering) {
        if (!response.headersSent) response.setHeader('Connection', 'close');
      }
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      const force = setTimeout(() => server.closeAllConnections(), graceMs);
      await frontend.close();
      await closed;
      clearTimeout(force);
    },
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  frontend: Frontend,
  options: ShopServerOptions,
): Promise<void> {
  const [pathname = ''] = (request.url ?? '').split('?', 1);
  const reading = request.method === 'GET' || request.method === 'HEAD';

  if (pathname.startsWith(ASSET_PREFIX)) {
    if (!reading) return refuseMethod(response, 'GET, HEAD');
    if (pathname === `${ASSET_PREFIX}healthz`) return sendText(response, 200, 'ok');
    frontend.serveAsset(request, response, () => sendText(response, 404, 'No such file.'));
    return;
  }

  const place = locatePage(request.url ?? '');
  if (place === null) return sendText(response, 400, 'Expected a path that begins with a slash.');
  if (reading) return sendPage(request, response, frontend, options.api, place, null);
  if (place.pathname !== '/sign-up') return refuseMethod(response, 'GET, HEAD');
  if (request.method !== 'POST') return refuseMethod(response, 'GET, HEAD, POST');

  const { posted, status } = await signUpFromForm(request, options.api);
  // Shown by its name, under /vue/, the shop counts nobody.
  if (posted.outcome.kind === 'welcome' && place.base === '/') {
    await reportSignUp(posted.outcome.plan, request, options);
  }
  // What is left of a refused body is not read, so the connection cannot go on after it.
  if (!request.complete) response.setHeader('Connection', 'close');
  return sendPage(request, response, frontend, options.api, place, posted, status);
}

async function signUpFromForm(
  request: IncomingMessage,
  api: ProductApi,
): Promise<{ posted: NonNullable<ShopState['posted']>; status?: number }> {
  try {
    const body = await readFormBody(request, FORM_LIMIT_BYTES);
    const field = (name: keyof SignUpForm) => body.get(name) ?? '';
    const form = { plan: field('plan'), name: field('name'), email: field('email') };
    const outcome = await api.signUp(form, forwardedHeaders(request));
    return { posted: { form, outcome } };
  } catch (error) {
    if (!(error instanceof FormBodyError)) throw error;
    const outcome: SignUpOutcome = { kind: 'refused', errors: { form: error.message } };
    return { posted: { form: { plan: '', name: '', email: '' }, outcome }, status: error.status };
  }
}

/** A sign-up without JavaScript counts as much as one with. */
async function reportSignUp(
  plan: string,
  { headers }: IncomingMessage,
  { api, report }: ShopServerOptions,
): Promise<void> {
  const plans = await api.plans().catch(() => null);
  const requestId = headers['x-request-id'];
  await report(
    { metric: SIGN_UP, value: signUpValue(plans, plan) },
    {
      cookie: headers.cookie,
      'x-request-id': typeof requestId === 'string' ? requestId : undefined,
    },
  );
}

/** What the edge says of a request goes with the sign-up, as it does when the browser sends it. */
function forwardedHeaders(request: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const name of FORWARDED_HEADERS) {
    const value = request.headers[name];
    if (typeof value === 'string') headers[name] = value;
  }
  return headers;
}

async function sendPage(
  request: IncomingMessage,
  response: ServerResponse,
  frontend: Frontend,
  api: ProductApi,
  place: { base: string; path: string },
  posted: ShopState['posted'],
  status?: number,
): Promise<void> {
  const { template, render } = await frontend.page();
  const page = await render({ base: place.base, path: place.path, posted, api });
  const whole = Buffer.from(documentHtml(template, page));
  const encoding = acceptedEncoding(request.headers['accept-encoding']);
  const encoded = await encodeBody(whole, encoding);
  if (encoding !== null && encoded !== null) response.setHeader('Content-Encoding', encoding);
  const body = encoded ?? whole;
  response.writeHead(status ?? page.meta.status, {
    ...PAGE_HEADERS,
    ...frontend.pageHeaders,
    'Cache-Control': page.meta.status === 200 && posted === null ? 'no-cache' : 'no-store',
    'Content-Length': body.length,
  });
  response.end(body);
}

function refuseMethod(response: ServerResponse, allow: string): void {
  response.setHeader('Allow', allow);
  sendText(response, 405, `This address takes ${allow} only.`);
}

function sendText(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, {
    'Content-Type': 'text/plain; charset=utf-8',
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
  });
  response.end(`${text}\n`);
}
