/**
 * Rules over a request, as they are written down. The same grammar serves routes, an
 * experiment's scope, its audience and its forced variants. `packages/contracts` has its
 * schema; a test of the edge, which knows both, holds the two together.
 */

/** How a text is compared: exactly, by wildcards (`*`), or by a regular expression (RE2 syntax). */
export type TextPattern = string | { readonly glob: string } | { readonly regex: string };

/** A header, cookie or query parameter; without a value: that it is there. */
export interface NamedPattern {
  readonly name: string;
  readonly value?: TextPattern;
}

/** A text is a glob: see `compilePathGlob`. */
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

export type PredicateDefinition =
  | { readonly path: PathPattern }
  /** A name, or `*.example.com`. */
  | { readonly host: string | readonly string[] }
  | { readonly method: string | readonly string[] }
  | { readonly header: NamedPattern }
  /** The name may hold `*`. */
  | { readonly cookie: NamedPattern }
  | { readonly query: NamedPattern }
  /** `de` takes `de-AT`, too. The visitor's first choice counts. */
  | { readonly language: string | readonly string[] }
  | { readonly device: Device | readonly Device[] }
  /** ISO 3166-1 alpha-2. */
  | { readonly country: string | readonly string[] }
  /** True: any class but `none`. */
  | { readonly bot: boolean | BotClass | readonly BotClass[] }
  | { readonly not: PredicateDefinition }
  | { readonly all: readonly PredicateDefinition[] }
  | { readonly any: readonly PredicateDefinition[] };
