import type {
  NamedPattern,
  PathPattern,
  PredicateDefinition,
  TextPattern,
} from '../src/rules/definition.ts';
import type { RequestTraits } from '../src/rules/request-traits.ts';

/**
 * What a predicate means, said a second time: read afresh for each request, nothing compiled,
 * sorted or looked up. Tests and the benchmark hold the compiler to it. For patterns that are
 * as safe as a test writes them: it uses JavaScript's own regular expressions.
 */
export function naivelyHolds(definition: PredicateDefinition, request: RequestTraits): boolean {
  if ('not' in definition) return !naivelyHolds(definition.not, request);
  if ('all' in definition) return definition.all.every((part) => naivelyHolds(part, request));
  if ('any' in definition) return definition.any.some((part) => naivelyHolds(part, request));
  if ('path' in definition) return pathHolds(definition.path, request.path);
  if ('host' in definition) {
    return listOf(definition.host).some((host) =>
      host.startsWith('*.') ? request.host.endsWith(host.slice(1)) : request.host === host,
    );
  }
  if ('method' in definition) return listOf(definition.method).includes(request.method);
  if ('header' in definition) {
    const value = request.header(definition.header.name.toLowerCase());
    return namedHolds(definition.header, value === undefined ? [] : [value]);
  }
  if ('cookie' in definition) {
    const name = wildcard(definition.cookie.name, '.*');
    const pairs = (request.cookie ?? '').split(';').filter((pair) => pair.trim() !== '');
    const values = pairs
      .map((pair) => /^([^=]*)=?(.*)$/.exec(pair))
      .filter((parts) => name.test((parts?.[1] ?? '').trim()))
      .map((parts) => (parts?.[2] ?? '').trim());
    return namedHolds(definition.cookie, values);
  }
  if ('query' in definition) {
    return namedHolds(definition.query, request.query(definition.query.name));
  }
  if ('language' in definition) {
    const first = (request.languages[0] ?? '').toLowerCase();
    return listOf(definition.language).some((language) =>
      `${first}-`.startsWith(`${language.toLowerCase()}-`),
    );
  }
  if ('device' in definition) return listOf(definition.device).includes(request.device);
  if ('country' in definition) {
    return listOf(definition.country).includes(request.country ?? 'none');
  }
  const { bot } = definition;
  if (typeof bot === 'boolean') return (request.botClass !== 'none') === bot;
  return listOf(bot).includes(request.botClass);
}

function pathHolds(pattern: PathPattern, path: string): boolean {
  if (typeof pattern === 'string') return pathGlob(pattern).test(path);
  if ('exact' in pattern) return path === pattern.exact;
  if ('prefix' in pattern) return path.startsWith(pattern.prefix);
  if ('glob' in pattern) return pathGlob(pattern.glob).test(path);
  return new RegExp(pattern.regex).test(path);
}

function namedHolds({ value }: NamedPattern, seen: readonly string[]): boolean {
  return seen.some((text) => value === undefined || textHolds(value, text));
}

function textHolds(pattern: TextPattern, text: string): boolean {
  if (typeof pattern === 'string') return text === pattern;
  if ('glob' in pattern) return wildcard(pattern.glob, '.*').test(text);
  return new RegExp(pattern.regex).test(text);
}

/** A glob over paths as a regular expression. */
export function pathGlob(glob: string): RegExp {
  const source = glob
    .slice(1)
    .split('/')
    .map((segment) => {
      if (segment === '**') return '(?:/[^/]*)*';
      return segment === '*' ? '/[^/]+' : `/${escaped(segment, '[^/]*')}`;
    })
    .join('');
  return new RegExp(`^${source}$`);
}

function wildcard(glob: string, any: string): RegExp {
  return new RegExp(`^${escaped(glob, any)}$`);
}

function escaped(text: string, any: string): string {
  return text.replaceAll(/[^\w/*]/g, '\\$&').replaceAll('*', any);
}

function listOf<Item extends string>(items: Item | readonly Item[]): readonly Item[] {
  return typeof items === 'string' ? [items] : items;
}
