import { join } from 'node:path';
import { reportConversion } from '@turnout/client/server';
import { createShopServer } from './server/shop-server.ts';
import { productApi } from './server/product-api.ts';

const DEFAULT_PORT = 4002;
const DEFAULT_API_URL = 'http://127.0.0.1:4000';
const DEFAULT_EDGE_URL = 'http://127.0.0.1:8080';
/** The API answers in milliseconds; a page that waits longer than this had better say so. */
const API_TIMEOUT_MS = 3_000;
/** How long answers in flight may take after SIGTERM; the process must be gone after 5 s. */
const GRACE_MS = 4_000;

const root = join(import.meta.dirname, '..');
const development = process.env.NODE_ENV === 'development';
// Vue runs its slow, checking build unless told that this is production.
if (!development) process.env.NODE_ENV = 'production';

const log = (line: string) => {
  process.stderr.write(`vue: ${line}\n`);
};

const edgeUrl = serverUrl('TURNOUT_EDGE_URL', DEFAULT_EDGE_URL);
const shop = await createShopServer({
  openFrontend: async (httpServer) => {
    if (development) {
      const { openViteFrontend } = await import('./server/vite-frontend.ts');
      return openViteFrontend(root, httpServer);
    }
    const { openBuiltFrontend } = await import('./server/built-frontend.ts');
    return openBuiltFrontend(join(root, 'dist'));
  },
  api: productApi({
    url: serverUrl('TURNOUT_API_URL', DEFAULT_API_URL),
    timeoutMs: API_TIMEOUT_MS,
    log,
  }),
  report: (conversion, request) => reportConversion(conversion, request, { edgeUrl, log }),
  log,
});

shop.server.on('error', (error) => {
  log(error.message);
  process.exit(1);
});
shop.server.listen(listenPort(), process.env.HOST ?? '127.0.0.1', () => {
  const address = shop.server.address();
  const where =
    typeof address === 'object' && address !== null
      ? `${address.address}:${address.port}`
      : address;
  process.stdout.write(`vue: listening on http://${where} (${process.env.NODE_ENV})\n`);
});

let ending = false;
const end = () => {
  if (ending) return;
  ending = true;
  void shop.close(GRACE_MS).then(() => process.exit(0));
};
process.on('SIGTERM', end);
process.on('SIGINT', end);

function listenPort(): number {
  const text = process.env.PORT ?? String(DEFAULT_PORT);
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535) {
    throw new Error(`PORT: expected a port number from 0 to 65535, got "${text}"`);
  }
  return port;
}

function serverUrl(name: string, otherwise: string): URL {
  const text = process.env[name] ?? otherwise;
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new Error(`${name}: expected a URL such as ${otherwise}, got "${text}"`);
  }
  return url;
}
