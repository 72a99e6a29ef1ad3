import { z } from 'zod';

/**
 * Rules over a request: what it asks for, who sent it, from where. A predicate names one
 * thing to look at, or combines others; the same grammar serves routes, an experiment's
 * scope, its audience and its forced variants. How each text is matched is for router-core
 * to say, which compiles them.
 */

/** How a text is compared: exactly, by wildcards (`*`), or by a regular expression (RE2 syntax). */
export type TextPattern = string | { readonly glob: string } | { readonly regex: string };

/** A named value of the request: a header, a cookie, a query parameter. Without a value: that it is there. */
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

export const DEVICES = ['mobile', 'tablet', 'desktop', 'other'] as const;
export type Device = (typeof DEVICES)[number];

/** What a client says it is: `none` says nothing of being a bot. */
export const BOT_CLASSES = ['none', 'search', 'ai', 'tool', 'other'] as const;
export type BotClass = (typeof BOT_CLASSES)[number];

/** Which requests or visitors: predicates, and their combinations. */
export type Predicate =
  /** A text is a glob, such as `/plans/**`. */
  | { readonly path: PathPattern }
  /** A name, or `*.example.com`. */
  | { readonly host: string | readonly string[] }
  | { readonly method: string | readonly string[] }
  | { readonly header: NamedPattern }
  /** The name may hold `*`. */
  | { readonly cookie: NamedPattern }
  | { readonly query: NamedPattern }
  /** A language tag: `de` takes `de-AT`, too. The visitor's first choice counts. */
  | { readonly language: string | readonly string[] }
  | { readonly device: Device | readonly Device[] }
  /** ISO 3166-1 alpha-2, from the header that `countryHeader` names. */
  | { readonly country: string | readonly string[] }
  | { readonly bot: boolean | BotClass | readonly BotClass[] }
  | { readonly not: Predicate }
  | { readonly all: readonly Predicate[] }
  | { readonly any: readonly Predicate[] };

// The limits are those of router-core, whose reader refuses the same predicates in the same
// words at the same places, so that a problem which both find is told once. Whether a host, a
// glob or a regular expression can be compiled is for router-core alone to say. A test of the
// edge, which knows both, holds them together.

const NOT_EMPTY = 'expected a text that is not empty';
const text = z.string().min(1, NOT_EMPTY);

/** One of these or a list of them; what is wrong with one is said of the value in its place. */
const oneOrMore = <Item extends z.ZodType>(item: Item, expected: string) =>
  z.union([item, z.array(item).min(1, expected)], expected);
const matching = (pattern: RegExp, expected: string) => z.string(expected).regex(pattern, expected);

export const textPatternSchema = z.union(
  [z.string(), z.strictObject({ glob: text }), z.strictObject({ regex: text })],
  'expected a text, { glob } or { regex }',
);

const named = (name: z.ZodType<string>) =>
  z.strictObject({ name, value: textPatternSchema.exactOptional() });

const path = z.string().startsWith('/', 'expected a path that begins with "/"');
const pathPattern = z.union(
  [
    path,
    z.strictObject({ exact: path }),
    z.strictObject({ prefix: path }),
    z.strictObject({ glob: path }),
    z.strictObject({ regex: text }),
  ],
  'expected a path such as /plans/**, or { exact }, { prefix }, { glob } or { regex }',
);

const HOST = 'expected a host name such as "example.com" or "*.example.com"';
const METHOD = 'expected a method in capitals, such as GET';
const LANGUAGE = 'expected a language such as de or de-AT';
const DEVICE = 'expected mobile, tablet, desktop or other';
const COUNTRY = 'expected a country as two capitals, such as DE';
const BOT = 'expected true, false, none, search, ai, tool or other';

const headerName = text.regex(
  /^[A-Za-z0-9!#$%&'*+.^_`|~-]*$/,
  'expected a header name such as CF-IPCountry',
);

export const predicateSchema: z.ZodType<Predicate> = z.lazy(() =>
  z.union(
    [
      z.strictObject({ path: pathPattern }),
      z.strictObject({ host: oneOrMore(z.string(HOST).min(1, HOST), HOST) }),
      z.strictObject({ method: oneOrMore(matching(/^[A-Z]+$/, METHOD), METHOD) }),
      z.strictObject({ header: named(headerName) }),
      z.strictObject({ cookie: named(text) }),
      z.strictObject({ query: named(text) }),
      z.strictObject({
        language: oneOrMore(matching(/^[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*$/, LANGUAGE), LANGUAGE),
      }),
      z.strictObject({ device: oneOrMore(z.enum(DEVICES, DEVICE), DEVICE) }),
      z.strictObject({ country: oneOrMore(matching(/^[A-Z]{2}$/, COUNTRY), COUNTRY) }),
      z.strictObject({
        bot: z.union([z.boolean(), oneOrMore(z.enum(BOT_CLASSES, BOT), BOT)], BOT),
      }),
      z.strictObject({ not: predicateSchema }),
      z.strictObject({ all: z.array(predicateSchema).min(1, 'expected at least one predicate') }),
      z.strictObject({ any: z.array(predicateSchema).min(1, 'expected at least one predicate') }),
    ],
    'expected one predicate: path, host, method, header, cookie, query, language, device, ' +
      'country, bot, not, all or any',
  ),
);
