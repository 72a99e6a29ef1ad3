import type { PredicateDefinition } from './rules/definition.ts';
import { compilePredicate, looksAtVisitor } from './rules/predicate.ts';
import type { RequestTraits } from './rules/request-traits.ts';
import { createScopeIndex } from './scope-index.ts';

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
  /** Whether somebody else who asks for the same address may be sent to another upstream. */
  looksAtVisitor(request: RequestTraits): boolean;
}

/**
 * Compiles routes into a table, which looks only at those whose path and host match.
 *
 * @throws TypeError for a path, host or predicate that cannot be compiled
 */
export function createRouteTable(routes: readonly Route[]): RouteTable {
  const index = createScopeIndex(
    routes.map(({ path, host, when, upstream }) => ({
      item: {
        upstream,
        when: when && compilePredicate(when),
        looksAtVisitor: when !== undefined && looksAtVisitor(when),
      },
      paths: [path],
      hosts: host === undefined ? [] : [host],
    })),
  );
  const isAnyPicky = routes.some(({ when }) => when !== undefined && looksAtVisitor(when));
  return {
    looksAtVisitor({ path, host }) {
      if (!isAnyPicky) return false;
      for (const route of index.find(path, host)) {
        if (route.looksAtVisitor) return true;
        // It takes all who come so far: what stands behind it is nobody's.
        if (route.when === undefined) return false;
      }
      return false;
    },
    match(request) {
      const found = index.find(request.path, request.host);
      return found.find(({ when }) => when === undefined || when(request))?.upstream;
    },
  };
}
