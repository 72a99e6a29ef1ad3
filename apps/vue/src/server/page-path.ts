/** The path on which anyone sees this frontend, whatever their variant. */
const HOSTED_PATH = '/vue';

export interface PagePlace {
  /** What the browser's router takes off each path: `/`, or `/vue/`. */
  base: string;
  /** Path and query below the base. */
  path: string;
  /** The path alone. */
  pathname: string;
}

/**
 * Splits a request target into the base that the shop is hosted on and the page below it.
 * Percent-encoding is left alone, so that nothing here can throw.
 * @returns null for a target that is no path (`*`, `http://host/`; RFC 9112, section 3.2)
 */
export function locatePage(target: string): PagePlace | null {
  if (!target.startsWith('/')) return null;
  const [pathname = ''] = target.split('?', 1);
  const hosted = pathname === HOSTED_PATH || pathname.startsWith(`${HOSTED_PATH}/`);
  const below = hosted ? target.slice(HOSTED_PATH.length) : target;
  const path = below.startsWith('/') ? below : `/${below}`;
  const [belowPathname = ''] = path.split('?', 1);
  return { base: hosted ? `${HOSTED_PATH}/` : '/', path, pathname: belowPathname };
}
