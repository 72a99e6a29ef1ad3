import { compileWildcard } from './path-match.ts';

/** How a text is compared: exactly, by wildcards (`*`), or by a regular expression (RE2 syntax). */
export type TextPattern = string | { readonly glob: string } | { readonly regex: string };

/** A header, cookie or query parameter; without a value: that it is there. */
export interface NamedPattern {
  readonly name: string;
  readonly value?: TextPattern;
}

export type PathPattern =
  | string
  | { readonly exact: string }
  | { readonly prefix: string }
  | { readonly glob: string }
  | { readonly regex: string };

export type Device = 'mobile' | 'tablet' | 'desktop' | 'other';
export type BotClass = 'none' | 'search' | 'ai' | 'tool' | 'other';

/** A rule over a request, as it is written down. */
export type PredicateDefinition =
  | { readonly path: PathPattern }
  | { readonly host: string | readonly string[] }
  | { readonly method: string | readonly string[] }
  | { readonly header: NamedPattern }
  | { readonly cookie: NamedPattern }
  | { readonly query: NamedPattern }
  | { readonly language: string | readonly string[] }
  | { readonly device: Device | readonly Device[] }
  | { readonly country: string | readonly string[] }
  | { readonly bot: boolean | BotClass | readonly BotClass[] }
  | { readonly not: PredicateDefinition }
  | { readonly all: readonly PredicateDefinition[] }
  | { readonly any: readonly PredicateDefinition[] };

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
export function compileAudience(audience: PredicateDefinition): Predicate {
  if ('cookie' in audience) return cookiePredicate(audience.cookie.name);
  if ('not' in audience) {
    const inner = compileAudience(audience.not);
    return (request) => !inner(request);
  }
  if ('all' in audience) {
    const inner = audience.all.map((one) => compileAudience(one));
    return (request) => inner.every((predicate) => predicate(request));
  }
  if ('any' in audience) {
    const inner = audience.any.map((one) => compileAudience(one));
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
