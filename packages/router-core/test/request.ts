import { createRequestTraits } from '../src/rules/request-traits.ts';
import type { RequestTraits } from '../src/rules/request-traits.ts';

/** A request of a test, as rules see it. */
export function request(
  target: string,
  {
    method = 'GET',
    host = 'localhost',
    headers = {},
    countryHeader,
  }: {
    readonly method?: string;
    readonly host?: string;
    /** By name in lower case. */
    readonly headers?: Readonly<Record<string, string>>;
    readonly countryHeader?: string;
  } = {},
): RequestTraits {
  return createRequestTraits({
    method,
    target,
    host,
    header: (name) => (Object.hasOwn(headers, name) ? headers[name] : undefined),
    countryHeader,
  });
}
