import { compileHosts, compilePathGlob, globSegments } from './path-match.ts';
import type { PredicateDefinition } from './rules/definition.ts';
import { compilePredicate } from './rules/predicate.ts';
import type { Predicate } from './rules/predicate.ts';
import type { RequestTraits } from './rules/request-traits.ts';

/** Requests for these paths, on this host and that a predicate takes, belong to this upstream. */
export interface Route {
  /** A path glob: see `compilePathGlob`. */
  readonly path: string;
  /** A host name, or `*.example.com`. Any host when left out. */
  readonly host?: string;
  readonly when?: PredicateDefinition;
  readonly upstream: string;
}

export interface RouteTable {
  /** The upstream of the first route that matches. */
  match(request: RequestTraits): string | undefined;
}

interface CompiledRoute {
  readonly matches: Predicate;
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
    match(request) {
      const { path } = request;
      const slash = path.indexOf('/', 1);
      const first = path.slice(1, slash === -1 ? undefined : slash);
      for (const route of byFirst.get(first) ?? wildcards) {
        if (route.matches(request)) return route.upstream;
      }
      return undefined;
    },
  };
}

function compileRoute({ path, host, when, upstream }: Route): CompiledRoute {
  const inPath = compilePathGlob(path);
  const onHost = compileHosts(host === undefined ? [] : [host]);
  const isMeant = when && compilePredicate(when);
  return {
    matches: (request) =>
      inPath(request.path) && onHost(request.host) && (isMeant === undefined || isMeant(request)),
    upstream,
  };
}

/** The literal first segment of a glob, or undefined when a wildcard stands there. */
function firstOf(glob: string): string | undefined {
  const [first = ''] = globSegments(glob);
  return first.includes('*') ? undefined : first;
}
