import { compileHosts, compilePathGlob, globSegments, normaliseHost } from './path-match.ts';
import type { PathMatcher } from './path-match.ts';

/**
 * Finds what a request's path and host are in the scope of, without looking at the rest. For
 * each host there is a trie over the segments of the globs: a literal segment leads to one
 * child, a segment with wildcards to another, and from a `**` on any path is a candidate. So
 * a look-up costs what the path's own segments cost, and the candidates that they lead to.
 *
 * An index never changes. The next one shares with it every node that is the same in both, so
 * that it costs what has changed, not what exists.
 */

/** What is found, and where: paths times hosts. */
export interface Scoped<Item> {
  /** An object of its own for each. */
  readonly item: Item;
  /** Path globs: see `compilePathGlob`. */
  readonly paths: readonly string[];
  /** Host names: see `compileHosts`. None means any. */
  readonly hosts: readonly string[];
}

/** @throws TypeError for a path or host that cannot be compiled */
export function createScopeIndex<Item extends object>(
  scoped: readonly Scoped<Item>[],
): ScopeIndex<Item> {
  const next = new NextScopeIndex<Item>();
  for (const one of scoped) next.add(one);
  return next.finish(scoped.map(({ item }) => item));
}

export class ScopeIndex<Item extends object> {
  readonly roots: Roots<Item>;
  readonly #ranks: ReadonlyMap<Item, number>;

  constructor(roots: Roots<Item>, ranks: ReadonlyMap<Item, number>) {
    this.roots = roots;
    this.#ranks = ranks;
  }

  /**
   * The items with a path and a host that take these, in the order in which they were given.
   *
   * @param path see `normalisePath`
   * @param host see `normaliseHost`
   */
  find(path: string, host: string): readonly Item[] {
    const { anyHost, byName, bySuffix } = this.roots;
    const found: Leaf<Item>[] = [];
    collect(anyHost, path, 1, found);
    const named = byName.get(host);
    if (named !== undefined) collect(named, path, 1, found);
    if (bySuffix.size > 0) {
      for (let dot = host.indexOf('.'); dot !== -1; dot = host.indexOf('.', dot + 1)) {
        const suffixed = bySuffix.get(host.slice(dot));
        if (suffixed !== undefined) collect(suffixed, path, 1, found);
      }
    }
    return inOrder(found, this.#ranks);
  }
}

/** An index in the making, from another one or from nothing. */
export class NextScopeIndex<Item extends object> {
  readonly #roots: Roots<Item>;

  constructor(before?: ScopeIndex<Item>) {
    this.#roots = {
      anyHost: before?.roots.anyHost ?? new Node(),
      byName: new Map(before?.roots.byName),
      bySuffix: new Map(before?.roots.bySuffix),
    };
  }

  /** @throws TypeError for a path or host that cannot be compiled; then nothing is added */
  add({ item, paths, hosts }: Scoped<Item>): void {
    compileHosts(hosts);
    const seeds = paths.map((glob) => seedOf(glob, item));
    this.#eachRoot(hosts, (root) => seeds.reduce((so, seed) => this.#plant(so, seed, 0), root));
  }

  /** Takes out what was added with the same scope. */
  remove({ item, paths, hosts }: Scoped<Item>): void {
    const places = paths.map(placeOf);
    this.#eachRoot(hosts, (root) =>
      places.reduce<Node<Item> | undefined>(
        (so, place) => so && this.#uproot(so, place, 0, item),
        root,
      ),
    );
  }

  /** Ends the making. @param order all items that it holds */
  finish(order: readonly Item[]): ScopeIndex<Item> {
    return new ScopeIndex(this.#roots, new Map(order.map((item, rank) => [item, rank])));
  }

  /** Replaces the root of each host by what `change` makes of it; undefined: nothing is left. */
  #eachRoot(hosts: readonly string[], change: (root: Node<Item>) => Node<Item> | undefined): void {
    const { byName, bySuffix } = this.#roots;
    if (hosts.length === 0) this.#roots.anyHost = change(this.#roots.anyHost) ?? new Node();
    for (const host of hosts) {
      const name = normaliseHost(host);
      const [all, key] = name.startsWith('*.') ? [bySuffix, name.slice(1)] : [byName, name];
      const root = change(all.get(key) ?? new Node());
      if (root === undefined) all.delete(key);
      else all.set(key, root);
    }
  }

  /** The node with the seed below it, `depth` segments down. */
  #plant(node: Node<Item>, seed: Seed<Item>, depth: number): Node<Item> {
    const { segments, isOpenEnded, leaf } = seed;
    const own = this.#owned(node);
    const segment = segments[depth];
    if (segment === undefined) {
      const leaves = isOpenEnded ? 'openEnded' : 'ending';
      own[leaves] = [...(own[leaves] ?? []), leaf];
    } else if (segment.includes('*')) {
      own.wildcard = this.#plant(own.wildcard ?? new Node(), seed, depth + 1);
    } else {
      own.literal ??= new Map();
      own.literal.set(
        segment,
        this.#plant(own.literal.get(segment) ?? new Node(), seed, depth + 1),
      );
    }
    return own;
  }

  /** The node without the item, `depth` segments down; undefined when nothing is left of it. */
  #uproot(node: Node<Item>, place: Place, depth: number, item: Item): Node<Item> | undefined {
    const own = this.#owned(node);
    const segment = place.segments[depth];
    if (segment === undefined) {
      const leaves = place.isOpenEnded ? 'openEnded' : 'ending';
      const left = own[leaves]?.filter((leaf) => leaf.item !== item);
      own[leaves] = left === undefined || left.length === 0 ? undefined : left;
    } else if (segment.includes('*')) {
      own.wildcard = own.wildcard && this.#uproot(own.wildcard, place, depth + 1, item);
    } else {
      const child = own.literal?.get(segment);
      const left = child && this.#uproot(child, place, depth + 1, item);
      if (left === undefined) own.literal?.delete(segment);
      else own.literal?.set(segment, left);
      if (own.literal?.size === 0) own.literal = undefined;
    }
    return isEmpty(own) ? undefined : own;
  }

  /** The node, or a copy where another index has it too. */
  #owned(node: Node<Item>): Node<Item> {
    if (node.maker === this) return node;
    const copy = new Node<Item>();
    copy.maker = this;
    copy.literal = node.literal && new Map(node.literal);
    copy.wildcard = node.wildcard;
    copy.ending = node.ending;
    copy.openEnded = node.openEnded;
    return copy;
  }
}

interface Roots<Item> {
  anyHost: Node<Item>;
  readonly byName: Map<string, Node<Item>>;
  /** By `.example.com`, for `*.example.com`. */
  readonly bySuffix: Map<string, Node<Item>>;
}

/** A glob that ends at a node, or whose `**` stands there. */
interface Leaf<Item> {
  readonly item: Item;
  /** What is found where nothing else is: most look-ups end there. */
  readonly alone: readonly Item[];
  /** For a glob of which the trie has not checked every segment. */
  readonly matches: PathMatcher | undefined;
}

/** What all globs that begin with the same segments have in common. Most nodes are small. */
class Node<Item> {
  /** Who may still change it. */
  maker: object | undefined;
  literal: Map<string, Node<Item>> | undefined;
  /** For all segments that hold a `*`. */
  wildcard: Node<Item> | undefined;
  ending: readonly Leaf<Item>[] | undefined;
  openEnded: readonly Leaf<Item>[] | undefined;
}

function isEmpty({ literal, wildcard, ending, openEnded }: Node<unknown>): boolean {
  return (literal ?? wildcard ?? ending ?? openEnded) === undefined;
}

/** Where a glob stands in the trie: its segments up to a `**`. */
interface Place {
  readonly segments: readonly string[];
  readonly isOpenEnded: boolean;
  /** Whether whatever leads there matches the glob. */
  readonly isChecked: boolean;
}

/** A glob to be planted. */
interface Seed<Item> extends Place {
  readonly leaf: Leaf<Item>;
}

function placeOf(glob: string): Place {
  const all = globSegments(glob);
  const open = all.indexOf('**');
  const isOpenEnded = open !== -1;
  const segments = isOpenEnded ? all.slice(0, open) : all;
  const isChecked =
    segments.every((segment) => segment === '*' || !segment.includes('*')) &&
    (!isOpenEnded || open === all.length - 1);
  return { segments, isOpenEnded, isChecked };
}

function seedOf<Item>(glob: string, item: Item): Seed<Item> {
  const place = placeOf(glob);
  const matches = place.isChecked ? undefined : compilePathGlob(glob);
  return { ...place, leaf: { item, alone: [item], matches } };
}

/** @param from where the next segment begins; past the end when there is none left */
function collect<Item>(node: Node<Item>, path: string, from: number, found: Leaf<Item>[]): void {
  const { literal, wildcard, ending, openEnded } = node;
  if (openEnded !== undefined) take(openEnded, path, found);
  if (from > path.length) {
    if (ending !== undefined) take(ending, path, found);
    return;
  }
  if (literal === undefined && wildcard === undefined) return;
  const slash = path.indexOf('/', from);
  const end = slash === -1 ? path.length : slash;
  const child = literal?.get(path.slice(from, end));
  if (child !== undefined) collect(child, path, end + 1, found);
  // An empty segment has nothing that a `*` could stand for.
  if (wildcard !== undefined && end > from) collect(wildcard, path, end + 1, found);
}

function take<Item>(leaves: readonly Leaf<Item>[], path: string, found: Leaf<Item>[]): void {
  for (const leaf of leaves) {
    if (leaf.matches === undefined || leaf.matches(path)) found.push(leaf);
  }
}

/** In the order given, each once: several paths or hosts of one item may have matched. */
function inOrder<Item>(found: Leaf<Item>[], ranks: ReadonlyMap<Item, number>): readonly Item[] {
  const [first] = found;
  if (first === undefined) return [];
  if (found.length === 1) return first.alone;
  const rank = (item: Item): number => ranks.get(item) ?? 0;
  return [...new Set(found.map(({ item }) => item))].toSorted((a, b) => rank(a) - rank(b));
}
