import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import sirv from 'sirv';
import type { render } from '../entry-server.ts';
import { ASSET_PREFIX, type Frontend } from './frontend.ts';

const YEAR_SECONDS = 31_536_000;

/** Only what is ours, from our own origin: the app has no inline script, style or handler. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "frame-ancestors 'self'",
  "base-uri 'none'",
].join('; ');

/**
 * The app as `vite build` left it in `dist`, read once.
 * @throws Error when it has not been built
 */
export async function openBuiltFrontend(dist: string): Promise<Frontend> {
  const template = await readFile(join(dist, 'client', 'index.html'), 'utf8').catch(
    (cause: unknown) => {
      throw new Error(
        `Expected a build in ${dist}. Run \`pnpm --filter @turnout/vue build\`, or set NODE_ENV=development to serve from source.`,
        { cause },
      );
    },
  );
  const entry: { render: typeof render } = await import(
    pathToFileURL(join(dist, 'server', 'entry-server.js')).href
  );
  // Names under assets/ carry a hash of their content, so no copy of one can be out of date.
  const assets = sirv(join(dist, 'client', 'assets'), {
    immutable: true,
    maxAge: YEAR_SECONDS,
    brotli: true,
    gzip: true,
    etag: true,
    setHeaders: (response) => {
      response.setHeader('X-Content-Type-Options', 'nosniff');
    },
  });
  const assetPath = `${ASSET_PREFIX}assets/`;
  return {
    serveAsset(request, response, missing) {
      if (request.url?.startsWith(assetPath) !== true) {
        missing();
        return;
      }
      request.url = request.url.slice(assetPath.length - 1);
      assets(request, response, missing);
    },
    page: async () => ({ template, render: entry.render }),
    pageHeaders: { 'Content-Security-Policy': CONTENT_SECURITY_POLICY },
    close: async () => {},
  };
}
