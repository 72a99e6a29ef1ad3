/** Where a request goes. */
export type Destination =
  | { readonly kind: 'health' }
  /** A PHP script by its path under the document root. */
  | { readonly kind: 'script'; readonly script: string }
  /** A file that is no PHP: its folder among ours, and its path in there, percent-encoded as it came. */
  | { readonly kind: 'file'; readonly root: StaticRoot; readonly path: string }
  | { readonly kind: 'redirect'; readonly location: string }
  | { readonly kind: 'refused'; readonly status: 400 | 404 };

/** Folders that static files come from: WordPress itself, our theme, our plugin. */
export type StaticRoot = 'site' | 'theme' | 'plugin';

/** Paths of our theme and plugin, which live outside the site's own folder. */
const mounts: readonly (readonly [prefix: string, root: StaticRoot])[] = [
  ['/wp-content/themes/tern-mobile/', 'theme'],
  ['/wp-content/plugins/turnout/', 'plugin'],
];

/** What may leave as a file. A list of what may not would have to be complete. */
const publicExtensions =
  /\.(?:css|js|mjs|map|json|svg|png|jpe?g|gif|webp|avif|ico|woff2?|ttf|eot|txt|pdf|mp[34]|webm|ogg|wav|zip)$/i;

/**
 * Decides who answers a request target (`/path?query`). Only a page, the login
 * and the dashboard run PHP; WordPress' other scripts (xmlrpc.php, wp-cron.php,
 * wp-config.php, anything under wp-content) end on its own 404 page.
 */
export function routeRequest(target: string): Destination {
  const [rawPath, query] = splitTarget(target);
  const path = decodePath(rawPath);
  if (path === undefined) return { kind: 'refused', status: 400 };
  if (path === '/_turnout/healthz') return { kind: 'health' };

  const isStaticArea = /^\/wp-(?:includes|content|admin)\//.test(path);
  if (isStaticArea && !path.endsWith('/') && !path.endsWith('.php')) {
    if (!publicExtensions.test(path)) {
      // A folder of the dashboard without its slash, or nothing that we show.
      return /^\/wp-admin\/[a-z-]+$/.test(path)
        ? { kind: 'redirect', location: `${path}/${query}` }
        : { kind: 'refused', status: 404 };
    }
    for (const [prefix, root] of mounts) {
      if (path.startsWith(prefix)) {
        return { kind: 'file', root, path: encodeURI(path.slice(prefix.length - 1)) };
      }
    }
    return { kind: 'file', root: 'site', path: encodeURI(path) };
  }

  if (path === '/wp-admin') return { kind: 'redirect', location: `/wp-admin/${query}` };
  if (path === '/wp-login.php') return { kind: 'script', script: path };
  if (/^\/wp-admin\/(?:[a-z0-9-]+\/)*$/.test(path)) {
    return { kind: 'script', script: `${path}index.php` };
  }
  if (/^\/wp-admin\/(?:[a-z0-9-]+\/)*[a-z0-9-]+\.php$/.test(path)) {
    return { kind: 'script', script: path };
  }
  return { kind: 'script', script: '/index.php' };
}

/** Splits a request target before its query; the query keeps its `?`. */
function splitTarget(target: string): readonly [path: string, query: string] {
  const mark = target.indexOf('?');
  return mark < 0 ? [target, ''] : [target.slice(0, mark), target.slice(mark)];
}

/**
 * The decoded path, or undefined for one that no honest link has: not from the
 * root, broken percent-encoding, control characters, backslashes (separators on
 * Windows), or dot segments, which would climb out of a folder.
 */
function decodePath(rawPath: string): string | undefined {
  let path: string;
  try {
    path = decodeURIComponent(rawPath);
  } catch {
    return undefined;
  }
  // oxlint-disable-next-line no-control-regex -- Control characters are what this refuses.
  if (!path.startsWith('/') || /[\u0000-\u001f\u007f\\]|\/\.\.?(?:\/|$)/.test(path))
    return undefined;
  return path.replace(/\/{2,}/g, '/');
}
