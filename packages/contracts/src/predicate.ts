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

const text = z.string().min(1, 'expected a text that is not empty');
const oneOrMore = <Item extends z.ZodType>(item: Item) =>
  z.union([item, z.array(item).min(1, 'expected at least one')]);

export const textPatternSchema = z.union(
  [z.string(), z.strictObject({ glob: text }), z.strictObject({ regex: text })],
  'expected a text, { glob } or { regex }',
);

const named = z.strictObject({ name: text, value: textPatternSchema.exactOptional() });

const pathPattern = z.union(
  [
    z.string().startsWith('/', 'expected a path that begins with "/"'),
    z.strictObject({ exact: z.string().startsWith('/') }),
    z.strictObject({ prefix: z.string().startsWith('/') }),
    z.strictObject({ glob: z.string().startsWith('/') }),
    z.strictObject({ regex: text }),
  ],
  'expected a path such as /plans/**, or { exact }, { prefix }, { glob } or { regex }',
);

const country = z.string().regex(/^[A-Z]{2}$/, 'expected a country as two capitals, such as DE');
const method = z.string().regex(/^[A-Z]+$/, 'expected a method in capitals, such as GET');

export const predicateSchema: z.ZodType<Predicate> = z.lazy(() =>
  z.union(
    [
      z.strictObject({ path: pathPattern }),
      z.strictObject({ host: oneOrMore(text) }),
      z.strictObject({ method: oneOrMore(method) }),
      z.strictObject({ header: named }),
      z.strictObject({ cookie: named }),
      z.strictObject({ query: named }),
      z.strictObject({ language: oneOrMore(text) }),
      z.strictObject({ device: oneOrMore(z.enum(DEVICES)) }),
      z.strictObject({ country: oneOrMore(country) }),
      z.strictObject({ bot: z.union([z.boolean(), oneOrMore(z.enum(BOT_CLASSES))]) }),
      z.strictObject({ not: predicateSchema }),
      z.strictObject({ all: z.array(predicateSchema).min(1) }),
      z.strictObject({ any: z.array(predicateSchema).min(1) }),
    ],
    'expected one predicate: path, host, method, header, cookie, query, language, device, ' +
      'country, bot, not, all or any',
  ),
);
