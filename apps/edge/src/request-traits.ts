import type { IncomingMessage } from 'node:http';
import { createRequestTraits, type RequestTraits } from '@turnout/router-core';

/**
 * What rules may look at in a request.
 *
 * @param secure whether the visitor came by https
 * @param countryHeader in lower case
 */
export function requestTraits(
  { method = 'GET', url = '/', headers }: IncomingMessage,
  secure: boolean,
  countryHeader?: string,
): RequestTraits {
  return createRequestTraits({
    method,
    target: url,
    host: headers.host ?? '',
    secure,
    header: (name) => {
      // Else a rule on a header called "constructor" would see what every object has.
      const value = Object.hasOwn(headers, name) ? headers[name] : undefined;
      return Array.isArray(value) ? value.join(', ') : value;
    },
    countryHeader,
  });
}
