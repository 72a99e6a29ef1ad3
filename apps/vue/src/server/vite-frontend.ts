import { readFile } from 'node:fs/promises';
import type { Server } from 'node:http';
import { join } from 'node:path';
import type { render } from '../entry-server.ts';
import type { Frontend } from './frontend.ts';

/**
 * The app from source, each module compiled when it is asked for, changes pushed to the browser.
 * The push socket is on `server` itself, under the asset prefix, and names no host or port:
 * the browser opens it on the address of the page, whatever proxy that is.
 */
export async function openViteFrontend(root: string, server: Server): Promise<Frontend> {
  // Not at the top: production runs without Vite being installed.
  const { createServer } = await import('vite');
  const vite = await createServer({
    root,
    logLevel: 'warn',
    server: { middlewareMode: true, hmr: { server, path: '__hmr' } },
  });
  return {
    serveAsset: (request, response, missing) => {
      vite.middlewares(request, response, missing);
    },
    async page() {
      const source = await readFile(join(root, 'index.html'), 'utf8');
      // A fixed URL: Vite decodes it, and what visitors send need not be decodable.
      const template = await vite.transformIndexHtml('/index.html', source);
      const entry = await vite.ssrLoadModule('/src/entry-server.ts');
      const renderPage: typeof render = entry.render;
      return { template, render: renderPage };
    },
    // Vite's client puts styles inline, so there is no content security policy here.
    pageHeaders: {},
    close: () => vite.close(),
  };
}
