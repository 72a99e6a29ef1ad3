import type { LooseDocument } from './loose-document.ts';
import type { Path, Problem } from './problem.ts';

/** One port given to both sides; 0 asks the system for two. */
export function sharedPort({ public: open, private: closed }: LooseDocument): Problem[] {
  const { port, address } = closed;
  const isShared = port !== undefined && port !== 0 && port === open.port;
  const isApart = open.address !== undefined && open.address !== (address ?? '127.0.0.1');
  if (!isShared || isApart) return [];
  return [
    { path: ['private', 'port'], message: `expected another port than public.port, got ${port}` },
  ];
}

/** Names that refer to no upstream, and experiments that are there twice. */
export function brokenReferences(document: LooseDocument): Problem[] {
  return [...unknownUpstreams(document), ...repeatedExperiments(document)];
}

function unknownUpstreams({
  upstreams,
  routes,
  default: fallback,
  experiments,
}: LooseDocument): Problem[] {
  const names = Object.keys(upstreams);
  const problems: Problem[] = [];
  const check = (upstream: string | undefined, path: Path) => {
    if (upstream === undefined || Object.hasOwn(upstreams, upstream)) return;
    problems.push(unknownUpstream(upstream, names, path));
  };
  check(fallback, ['default']);
  routes.forEach((route, index) => check(route.upstream, ['routes', index, 'upstream']));
  experiments.forEach(({ variants }, index) =>
    variants.forEach((variant, position) =>
      check(variant.upstream, ['experiments', index, 'variants', position, 'upstream']),
    ),
  );
  return problems;
}

/** @param names those that there are */
export function unknownUpstream(upstream: string, names: readonly string[], path: Path): Problem {
  const known = names.join(', ') || 'none';
  return { path, message: `no upstream ${JSON.stringify(upstream)}; there are: ${known}` };
}

/** Experiments that are there twice. */
export function repeatedExperiments({
  experiments,
}: {
  readonly experiments: readonly { readonly key?: string | undefined }[];
}): Problem[] {
  const seen = new Set<string>();
  return experiments.flatMap(({ key }, index) => {
    if (key === undefined || !seen.has(key)) {
      if (key !== undefined) seen.add(key);
      return [];
    }
    const message = `experiment ${JSON.stringify(key)} is there twice`;
    return [{ path: ['experiments', index, 'key'], message }];
  });
}
