import { compileHosts, compilePathGlob, globSegments, normaliseHost } from './path-match.ts';
import type { PathMatcher } from './path-match.ts';

/**
 * Finds what a request's path and host are in the scope of, without looking at the rest. For
 * each host there is a trie over the segments of the globs: a literal segment leads to one
 * child, a segment with wildcards to another, and from a `**` on any path is a candidate. So
 * a look-up costs what the path's own segments cost, and the candidates that they lead to.
 */

/** What is found, and where: paths times hosts. */
export interface Scoped<Item> {
  readonly item: Item;
  /** Path globs: see `compilePathGlob`. */
  readonly paths: readonly string[];
  /** Host names: see `compileHosts`. None means any. */
  readonly hosts: readonly string[];
}

export interface ScopeIndex<Item> {
  /**
   * The items with a path and a host that take these, in the order in which they were given.
   *
   * @param path see `normalisePath`
   * @param host see `normaliseHost`
   */
  find(path: string, host: string): readonly Item[];
}

/** @throws TypeError for a path or host that cannot be compiled */
export function createScopeIndex<Item>(scoped: readonly Scoped<Item>[]): ScopeIndex<Item> {
  const anyHost = new Node<Item>();
  const byName = new Map<string, Node<Item>>();
  /** By `.example.com`, for `*.example.com`. */
  const bySuffix = new Map<string, Node<Item>>();
  const rootOf = (host: string): Node<Item> => {
    compileHosts([host]);
    const name = normaliseHost(host);
    return name.startsWith('*.') ? childOf(bySuffix, name.slice(1)) : childOf(byName, name);
  };
  for (const [position, { item, paths, hosts }] of scoped.entries()) {
    const seeds = paths.map((glob) => seedOf(glob, position, item));
    const roots = hosts.length === 0 ? [anyHost] : hosts.map(rootOf);
    for (const root of roots) {
      for (const seed of seeds) plant(root, seed);
    }
  }
  return {
    find(path, host) {
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
      return inOrder(found);
    },
  };
}

/** A glob that ends at a node, or whose `**` stands there. */
interface Leaf<Item> {
  readonly position: number;
  readonly item: Item;
  /** What is found where nothing else is: most look-ups end there. */
  readonly alone: readonly Item[];
  /** For a glob of which the trie has not checked every segment. */
  readonly matches: PathMatcher | undefined;
}

/** What all globs that begin with the same segments have in common. Most nodes are small. */
class Node<Item> {
  literal: Map<string, Node<Item>> | undefined;
  /** For all segments that hold a `*`. */
  wildcard: Node<Item> | undefined;
  ending: Leaf<Item>[] | undefined;
  openEnded: Leaf<Item>[] | undefined;
}

/** A glob to be planted: its segments up to a `**`, and the leaf that they lead to. */
interface Seed<Item> {
  readonly segments: readonly string[];
  readonly isOpenEnded: boolean;
  readonly leaf: Leaf<Item>;
}

function seedOf<Item>(glob: string, position: number, item: Item): Seed<Item> {
  const segments = globSegments(glob);
  const open = segments.indexOf('**');
  const isOpenEnded = open !== -1;
  const fixed = isOpenEnded ? segments.slice(0, open) : segments;
  const isChecked =
    fixed.every((segment) => segment === '*' || !segment.includes('*')) &&
    (!isOpenEnded || open === segments.length - 1);
  const matches = isChecked ? undefined : compilePathGlob(glob);
  return { segments: fixed, isOpenEnded, leaf: { position, item, alone: [item], matches } };
}

function plant<Item>(root: Node<Item>, { segments, isOpenEnded, leaf }: Seed<Item>): void {
  let node = root;
  for (const segment of segments) {
    node = segment.includes('*')
      ? (node.wildcard ??= new Node())
      : childOf((node.literal ??= new Map()), segment);
  }
  if (isOpenEnded) (node.openEnded ??= []).push(leaf);
  else (node.ending ??= []).push(leaf);
}

function childOf<Item>(children: Map<string, Node<Item>>, key: string): Node<Item> {
  let child = children.get(key);
  if (child === undefined) {
    child = new Node();
    children.set(key, child);
  }
  return child;
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
function inOrder<Item>(found: Leaf<Item>[]): readonly Item[] {
  const [first] = found;
  if (first === undefined) return [];
  if (found.length === 1) return first.alone;
  found.sort((a, b) => a.position - b.position);
  return found
    .filter(({ position }, at) => position !== found[at - 1]?.position)
    .map(({ item }) => item);
}
