import type { ExperimentDefinition } from '../experiment.ts';
import type { Route } from '../route-table.ts';
import type { NamedPattern, PathPattern, PredicateDefinition, TextPattern } from './definition.ts';
import { compilePredicate } from './predicate.ts';
import type { RequestTraits } from './request-traits.ts';

/**
 * Why a rule holds or not, for people. Credentials stay out: of a cookie and of a header that
 * carries one it is told whether it matched, never a value, neither the request's nor the
 * rule's, which would be the same.
 */

/** What one rule said of a request; combinations hold what their parts said. */
export interface RuleTrace {
  /** Such as `header x-beta is "1"`. */
  readonly rule: string;
  readonly holds: boolean;
  /** What the request has there, where that is one thing: `"0"`, `nothing`. */
  readonly saw?: string;
  readonly parts?: readonly RuleTrace[];
}

/**
 * Tells what a predicate, and each of its parts, says of a request.
 *
 * @throws PredicateError for a predicate that cannot be compiled
 */
export function explainPredicate(
  definition: PredicateDefinition,
  request: RequestTraits,
): RuleTrace {
  if ('not' in definition) {
    const part = explainPredicate(definition.not, request);
    return { rule: 'not', holds: !part.holds, parts: [part] };
  }
  if ('all' in definition) {
    const parts = definition.all.map((part) => explainPredicate(part, request));
    return { rule: 'all of', holds: parts.every(({ holds }) => holds), parts };
  }
  if ('any' in definition) {
    const parts = definition.any.map((part) => explainPredicate(part, request));
    return { rule: 'any of', holds: parts.some(({ holds }) => holds), parts };
  }
  const holds = compilePredicate(definition)(request);
  return { holds, ...describe(definition, request) };
}

/** Tells why a request is in an experiment's scope or not. */
export function explainScope(
  { paths, hosts = [], when }: ExperimentDefinition['scope'],
  request: RequestTraits,
): RuleTrace {
  return explainPredicate(
    {
      all: [
        paths.length === 1 && paths[0] !== undefined
          ? { path: paths[0] }
          : { any: paths.map((path) => ({ path })) },
        ...(hosts.length === 0 ? [] : [{ host: hosts }]),
        ...(when === undefined ? [] : [when]),
      ],
    },
    request,
  );
}

/** Tells why a route takes a request or not. */
export function explainRoute(
  { path, host, when }: Pick<Route, 'path' | 'host' | 'when'>,
  request: RequestTraits,
): RuleTrace {
  const hosts = host === undefined ? [] : [host];
  return explainScope({ paths: [path], hosts, ...(when && { when }) }, request);
}

type Single = Exclude<
  PredicateDefinition,
  { readonly not: unknown } | { readonly all: unknown } | { readonly any: unknown }
>;

/** Headers that carry credentials. */
const SECRET_HEADERS: ReadonlySet<string> = new Set([
  'authorization',
  'cookie',
  'proxy-authorization',
]);

function describe(definition: Single, request: RequestTraits): Pick<RuleTrace, 'rule' | 'saw'> {
  if ('path' in definition) {
    return { rule: `path ${pathSays(definition.path)}`, saw: shown(request.path) };
  }
  if ('host' in definition) return says('host', definition.host, request.host);
  if ('method' in definition) return says('method', definition.method, request.method);
  if ('header' in definition) {
    const name = definition.header.name.toLowerCase();
    const value = request.header(name);
    if (SECRET_HEADERS.has(name)) {
      return secret('header', definition.header, value !== undefined);
    }
    return { rule: `header ${name} ${namedSays(definition.header)}`, saw: shown(value) };
  }
  if ('cookie' in definition) {
    const isThere = compilePredicate({ cookie: { name: definition.cookie.name } })(request);
    return secret('cookie', definition.cookie, isThere);
  }
  if ('query' in definition) {
    const { name } = definition.query;
    const values = request.query(name).map(shown);
    return {
      rule: `query parameter ${name} ${namedSays(definition.query)}`,
      saw: values.length === 0 ? NOTHING : values.join(', '),
    };
  }
  if ('language' in definition) {
    return says('first language', definition.language, request.languages[0]);
  }
  if ('device' in definition) return says('device', definition.device, request.device);
  if ('country' in definition) return says('country', definition.country, request.country);
  const { bot } = definition;
  const rule = typeof bot === 'boolean' ? `bot is ${bot}` : `bot is ${listed(bot)}`;
  return { rule, saw: request.botClass };
}

function says(what: string, taken: string | readonly string[], value: string | undefined) {
  return { rule: `${what} is ${listed(taken)}`, saw: shown(value) };
}

function secret(what: string, { name, value }: NamedPattern, isThere: boolean) {
  const rule = `${what} ${name} ${value === undefined ? 'is there' : 'has the value wanted'}`;
  return { rule, saw: isThere ? 'a value, not shown' : NOTHING };
}

function pathSays(pattern: PathPattern): string {
  if (typeof pattern === 'string') return `is like ${pattern}`;
  if ('exact' in pattern) return `is ${pattern.exact}`;
  if ('prefix' in pattern) return `begins with ${pattern.prefix}`;
  if ('glob' in pattern) return `is like ${pattern.glob}`;
  return `matches /${pattern.regex}/`;
}

function namedSays({ value }: NamedPattern): string {
  return value === undefined ? 'is there' : textSays(value);
}

function textSays(pattern: TextPattern): string {
  if (typeof pattern === 'string') return `is ${JSON.stringify(pattern)}`;
  return 'glob' in pattern
    ? `is like ${JSON.stringify(pattern.glob)}`
    : `matches /${pattern.regex}/`;
}

function listed(taken: string | readonly string[]): string {
  return typeof taken === 'string' ? taken : taken.join(' or ');
}

const NOTHING = 'nothing';
/** Characters of a value that are shown. */
const SHOWN = 100;

function shown(value: string | undefined): string {
  if (value === undefined) return NOTHING;
  return JSON.stringify(value.length > SHOWN ? `${value.slice(0, SHOWN)}…` : value);
}
