import type { IncomingMessage } from 'node:http';
import { createRequestTraits, type RequestTraits } from '@turnout/router-core';

/**
 * What rules may look at in a request.
 *
 * @param countryHeader in lower case
 */
export function requestTraits(
  { method = 'GET', url = '/', headers }: IncomingMessage,
  countryHeader?: string,
): RequestTraits {
  return createRequestTraits({
    method,
    target: url,
    host: headers.host ?? '',
    header: (name) => {
      const value = headers[name];
      return Array.isArray(value) ? value.join(', ') : value;
    },
    countryHeader,
  });
}
