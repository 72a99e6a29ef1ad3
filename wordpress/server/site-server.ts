import { existsSync } from 'node:fs';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import send from 'send';
import { BodyTooLargeError, type PhpBackend } from './php-backend.ts';
import { routeRequest, type StaticRoot } from './route-request.ts';

/** Seconds for which a browser keeps a file whose URL has no version, and one whose URL has. */
const unversionedMaxAge = 3600;
const versionedMaxAge = 365 * 24 * 3600;

/**
 * Milliseconds that an idle connection is kept: above the idle time of the edge's connection pool,
 * so that the edge closes first. The embedded PHP holds up this process; with Node's 5 s a
 * request that came meanwhile was met by the timer, and its connection closed unread.
 */
const keepAliveTimeout = 75_000;

export interface SiteServerOptions {
  /** Folders of the static files. */
  readonly roots: Readonly<Record<StaticRoot, string>>;
  /** PHP once the site is set up; until then pages are answered with 503. */
  readonly php: () => PhpBackend | undefined;
  readonly logError: (line: string) => void;
}

/** The HTTP server of the site: health, static files, and PHP for the rest. */
export function createSiteServer(options: SiteServerOptions): http.Server {
  return http.createServer({ keepAliveTimeout }, (request, response) => {
    respond(request, response, options).catch((error: unknown) => {
      if (error instanceof BodyTooLargeError) {
        // The rest of the body would have to be read before the next request.
        response.setHeader('Connection', 'close');
        text(response, 413, 'This is too large to send.');
        return;
      }
      // A client that left is no error of ours.
      if (request.destroyed && !request.complete) return;
      if (response.destroyed) return;
      options.logError(`${request.method} ${request.url}: ${String(error)}`);
      if (response.headersSent) response.destroy();
      else text(response, 502, 'The site could not answer. Please try again.');
    });
  });
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  options: SiteServerOptions,
): Promise<void> {
  const target = request.url ?? '/';
  const destination = routeRequest(target);
  switch (destination.kind) {
    case 'health': {
      const ready = options.php() !== undefined;
      response.setHeader('Cache-Control', 'no-store');
      text(response, ready ? 200 : 503, ready ? 'ok' : 'starting');
      return;
    }
    case 'refused':
      text(response, destination.status, http.STATUS_CODES[destination.status] ?? '');
      return;
    case 'redirect':
      response.writeHead(301, { Location: destination.location }).end();
      return;
    case 'file':
      sendFile(request, response, options.roots[destination.root], destination.path);
      return;
    case 'script': {
      const php = options.php();
      if (php) {
        const { script } = destination;
        const exists = existsSync(join(options.roots.site, script));
        await php.handle(request, response, exists ? script : '/index.php');
        return;
      }
      response.setHeader('Retry-After', '2');
      text(response, 503, 'The site is starting. Please try again in a few seconds.');
    }
  }
}

function sendFile(
  request: IncomingMessage,
  response: ServerResponse,
  root: string,
  path: string,
): void {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('Allow', 'GET, HEAD');
    text(response, 405, 'Files can only be read.');
    return;
  }
  const versioned = /[?&]ver=[^&]/.test(request.url ?? '');
  response.setHeader('X-Content-Type-Options', 'nosniff');
  send(request, path, {
    root,
    index: false,
    dotfiles: 'ignore',
    immutable: versioned,
    maxAge: (versioned ? versionedMaxAge : unversionedMaxAge) * 1000,
  })
    .on('error', (error: Error & { status?: number }) => {
      response.setHeader('Cache-Control', 'no-store');
      text(response, error.status ?? 404, http.STATUS_CODES[error.status ?? 404] ?? '');
    })
    // A folder without its slash.
    .on('directory', () => text(response, 404, 'Not Found'))
    .pipe(response);
}

function text(response: ServerResponse, status: number, body: string): void {
  if (response.headersSent) return;
  response.statusCode = status;
  response.setHeader('Content-Type', 'text/plain; charset=utf-8');
  response.end(`${body}\n`);
}
