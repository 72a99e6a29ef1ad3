/**
 * Where this app is shown: at the root of the address, to visitors whose
 * variant it is, and at `/next`, to anyone. Links must stay where they are.
 */
export type Mount = '' | '/next';

/** The path, under the mount, of a page given by its path at the root (`/plans?x=1` …). */
export function mountedPath(mount: Mount, path: `/${string}`): string {
  if (mount === '') return path;
  return path === '/' ? mount : `${mount}${path}`;
}

/** Whether the navigation entry `href` leads to the page at `pathname`, or to its section. */
export function isCurrent(
  pathname: string,
  href: string,
  home: string,
): 'page' | 'section' | undefined {
  if (pathname === href) return 'page';
  return href !== home && pathname.startsWith(`${href}/`) ? 'section' : undefined;
}
