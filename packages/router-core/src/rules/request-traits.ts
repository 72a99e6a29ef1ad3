import Negotiator from 'negotiator';
import { normaliseHost, normalisePath } from '../path-match.ts';
import type { BotClass, Device } from './definition.ts';
import { botClassOf, deviceOf } from './user-agent.ts';

/** What rules may look at. What takes work is found out when a rule first asks. */
export interface RequestTraits {
  readonly method: string;
  /** See `normalisePath`. */
  readonly path: string;
  /** See `normaliseHost`. */
  readonly host: string;
  /** Whether the visitor came by https, to us or to what stands in front of us. */
  readonly secure: boolean;
  /** The Cookie header as it came. */
  readonly cookie: string | undefined;
  /** Language tags of Accept-Language, the most wanted first. */
  readonly languages: readonly string[];
  readonly device: Device;
  /** In capitals; undefined unless the configuration names a header that holds it. */
  readonly country: string | undefined;
  readonly botClass: BotClass;
  /** @param name in lower case */
  header(name: string): string | undefined;
  /** The values of a query parameter, decoded. */
  query(name: string): readonly string[];
}

/** A request as it came. */
export interface RequestSource {
  readonly method: string;
  /** The request target: one character per byte. */
  readonly target: string;
  /** The Host header. */
  readonly host: string;
  /** See `RequestTraits`. Default: not. */
  readonly secure?: boolean;
  /** A header's value, several joined by commas. @param name in lower case */
  header(name: string): string | undefined;
  /** The header that holds the visitor's country, in lower case. */
  readonly countryHeader?: string | undefined;
}

/** What rules may look at in a request. Never throws, whatever a client sends. */
export function createRequestTraits(source: RequestSource): RequestTraits {
  return new LazyTraits(source);
}

class LazyTraits implements RequestTraits {
  readonly #source: RequestSource;
  readonly method: string;
  readonly secure: boolean;
  readonly cookie: string | undefined;
  #path: string | undefined;
  #host: string | undefined;
  #query: ReadonlyMap<string, readonly string[]> | undefined;
  #languages: readonly string[] | undefined;

  constructor(source: RequestSource) {
    this.#source = source;
    this.method = source.method;
    this.secure = source.secure ?? false;
    // Asked of every request that may belong to an experiment.
    this.cookie = source.header('cookie');
  }

  get path(): string {
    return (this.#path ??= normalisePath(this.#source.target));
  }

  get host(): string {
    return (this.#host ??= normaliseHost(this.#source.host));
  }

  get languages(): readonly string[] {
    return (this.#languages ??= languagesOf(this.#source.header('accept-language')));
  }

  get device(): Device {
    if (this.#source.header('sec-ch-ua-mobile') === '?1') return 'mobile';
    return deviceOf(this.#source.header('user-agent') ?? '');
  }

  get country(): string | undefined {
    const { countryHeader } = this.#source;
    if (countryHeader === undefined) return undefined;
    return this.#source.header(countryHeader)?.trim().toUpperCase();
  }

  get botClass(): BotClass {
    return botClassOf(this.#source.header('user-agent') ?? '');
  }

  header(name: string): string | undefined {
    return this.#source.header(name);
  }

  query(name: string): readonly string[] {
    return (this.#query ??= queryOf(this.#source.target)).get(name) ?? [];
  }
}

/** Without the header a client takes any language, which is none that a rule could name. */
function languagesOf(acceptLanguage: string | undefined): readonly string[] {
  if (acceptLanguage === undefined) return [];
  const negotiator = new Negotiator({ headers: { 'accept-language': acceptLanguage } });
  return negotiator.languages();
}

function queryOf(target: string): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  const [beforeFragment = ''] = target.split('#', 1);
  const mark = beforeFragment.indexOf('?');
  if (mark === -1) return found;
  for (const [name, value] of new URLSearchParams(beforeFragment.slice(mark + 1))) {
    const values = found.get(name);
    if (values === undefined) found.set(name, [value]);
    else values.push(value);
  }
  return found;
}
