import { compileHosts, compilePathGlob, globSegments } from './path-match.ts';

/** A rule: requests for these paths (and this host) belong to this upstream. */
export interface Route {
  /** A path glob: see `compilePathGlob`. */
  readonly path: string;
  /** A host name, or `*.example.com`. Any host when left out. */
  readonly host?: string;
  readonly upstream: string;
}

export interface RouteTable {
  /**
   * The upstream of the first route that matches.
   *
   * @param normalisedPath see `normalisePath`
   * @param normalisedHost see `normaliseHost`
   */
  match(normalisedPath: string, normalisedHost: string): string | undefined;
}

interface CompiledRoute {
  readonly matches: (path: string, host: string) => boolean;
  readonly upstream: string;
}

/**
 * Compiles routes into a table. Each list that is scanned holds, in the order given, the
 * routes that can match a path with a certain first segment: most requests look at the
 * few routes whose first segment is a wildcard, and no more.
 *
 * @throws TypeError for a path or host that cannot be compiled
 */
export function createRouteTable(routes: readonly Route[]): RouteTable {
  const compiled = routes.map((route) => ({ ...compileRoute(route), first: firstOf(route.path) }));
  const wildcards = compiled.filter(({ first }) => first === undefined);
  const byFirst = new Map<string, readonly CompiledRoute[]>();
  for (const { first } of compiled) {
    if (first === undefined || byFirst.has(first)) continue;
    byFirst.set(
      first,
      compiled.filter((other) => other.first === first || other.first === undefined),
    );
  }
  return {
    match(normalisedPath, normalisedHost) {
      const slash = normalisedPath.indexOf('/', 1);
      const first = normalisedPath.slice(1, slash === -1 ? undefined : slash);
      for (const route of byFirst.get(first) ?? wildcards) {
        if (route.matches(normalisedPath, normalisedHost)) return route.upstream;
      }
      return undefined;
    },
  };
}

function compileRoute({ path, host, upstream }: Route): CompiledRoute {
  const matchesPath = compilePathGlob(path);
  if (host === undefined) return { matches: matchesPath, upstream };
  const matchesHost = compileHosts([host]);
  return { matches: (target, name) => matchesHost(name) && matchesPath(target), upstream };
}

/** The literal first segment of a glob, or undefined when a wildcard stands there. */
function firstOf(glob: string): string | undefined {
  const [first = ''] = globSegments(glob);
  return first.includes('*') ? undefined : first;
}
