import { compileWildcard } from './path-match.ts';

/**
 * Who an experiment is for: a predicate over the request, apart from its address. Each
 * kind of predicate is one member of the union and one entry of `compilers`.
 */
export type Audience =
  /** Some cookie has a name like this; `*` stands for any characters. */
  | { readonly cookie: { readonly name: string } }
  | { readonly not: Audience }
  | { readonly all: readonly Audience[] }
  | { readonly any: readonly Audience[] };

/** What rules may look at. The edge fills it once per request. */
export interface RequestTraits {
  /** See `normalisePath`. */
  readonly path: string;
  /** See `normaliseHost`. */
  readonly host: string;
  /** The Cookie header as it came. */
  readonly cookie: string | undefined;
}

export type Predicate = (request: RequestTraits) => boolean;

/**
 * Compiles an audience.
 *
 * @throws TypeError for a predicate that is none of the known ones, or an empty cookie name
 */
export function compileAudience(audience: Audience): Predicate {
  if ('cookie' in audience) return cookiePredicate(audience.cookie.name);
  if ('not' in audience) {
    const inner = compileAudience(audience.not);
    return (request) => !inner(request);
  }
  if ('all' in audience) {
    const inner = audience.all.map(compileAudience);
    return (request) => inner.every((predicate) => predicate(request));
  }
  if ('any' in audience) {
    const inner = audience.any.map(compileAudience);
    return (request) => inner.some((predicate) => predicate(request));
  }
  throw new TypeError(
    `expected an audience of cookie, not, all or any, got ${JSON.stringify(audience)}`,
  );
}

function cookiePredicate(glob: string): Predicate {
  if (glob === '') throw new TypeError('expected a cookie name in the audience, got ""');
  const matches = compileWildcard(glob);
  const literal = glob.slice(0, (glob + '*').indexOf('*'));
  return ({ cookie }) => {
    // Almost no request has the cookie: rule it out before the header is taken apart.
    if (cookie === undefined || !cookie.includes(literal)) return false;
    return cookie.split(';').some((pair) => matches(pair.slice(0, nameEnd(pair)).trim()));
  };
}

function nameEnd(pair: string): number {
  const equals = pair.indexOf('=');
  return equals === -1 ? pair.length : equals;
}
