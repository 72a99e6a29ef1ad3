import { compileWildcard } from '../path-match.ts';
import type { RequestTraits } from './request-traits.ts';

/** The one thing of a request that a predicate looks at. */
export interface Look {
  /** Looks of one name see the same. */
  readonly name: string;
  /** What is there: nothing, one text, or several of which one is enough. */
  readonly see: (request: RequestTraits) => string | readonly string[] | undefined;
}

export const PATH: Look = { name: 'path', see: ({ path }) => path };
export const HOST: Look = { name: 'host', see: ({ host }) => host };
export const METHOD: Look = { name: 'method', see: ({ method }) => method };
export const DEVICE: Look = { name: 'device', see: ({ device }) => device };
export const COUNTRY: Look = { name: 'country', see: ({ country }) => country };
export const BOT: Look = { name: 'bot', see: ({ botClass }) => botClass };

/** Of `de-AT-1996`, the visitor's first choice: `de-at-1996`, `de-at`, `de` (RFC 4647, 3.3.1). */
export const LANGUAGE: Look = {
  name: 'language',
  see: ({ languages: [first = ''] }) => {
    const subtags = first.toLowerCase().split('-');
    return subtags.map((_, index) => subtags.slice(0, subtags.length - index).join('-'));
  },
};

/** @param name in lower case */
export function headerLook(name: string): Look {
  return { name: `header ${name}`, see: (request) => request.header(name) };
}

export function queryLook(name: string): Look {
  return { name: `query ${name}`, see: (request) => request.query(name) };
}

/** The values of all cookies whose name a glob means, as they were sent. */
export function cookieLook(glob: string): Look {
  const matches = compileWildcard(glob);
  const literal = glob.slice(0, (glob + '*').indexOf('*'));
  return {
    name: `cookie ${glob}`,
    see: ({ cookie }) => {
      // Almost no request has the cookie: rule it out before the header is taken apart.
      if (cookie === undefined || !cookie.includes(literal)) return undefined;
      return cookie.split(';').flatMap((pair) => {
        const end = nameEnd(pair);
        // An empty pair is no cookie, not one without a name.
        const isMeant = matches(pair.slice(0, end).trim()) && pair.trim() !== '';
        return isMeant ? [pair.slice(end + 1).trim()] : [];
      });
    },
  };
}

function nameEnd(pair: string): number {
  const equals = pair.indexOf('=');
  return equals === -1 ? pair.length : equals;
}
