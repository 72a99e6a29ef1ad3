/** `host[:port]`, without the user information that RFC 9110 section 4.2.4 warns of. */
const schemeAndAuthority = /^https?:\/\/(?:\[[\da-f:.]+\]|[^/?#:@[\]]+)(?::\d*)?(?=[/?#]|$)/i;

/**
 * A request's target in origin form, the path and query that an upstream is asked for (RFC
 * 9112 section 3.2).
 *
 * The absolute form that clients send to proxies must be accepted from any client (section
 * 3.2.2): `http://host/path?q` becomes `/path?q`. Its authority must be one, and is dropped, for
 * Host is what counts here. `*` is a target of OPTIONS alone, and what an OPTIONS for an authority
 * without a path means (section 3.2.4).
 *
 * @param target as in `IncomingMessage.url`.
 * @returns undefined if the target is of no such form: the request is to be refused with 400.
 */
export function originForm(target: string, method: string): string | undefined {
  if (target.charCodeAt(0) === 47 /* / */) return target;
  if (target === '*') return method === 'OPTIONS' ? target : undefined;
  const start = schemeAndAuthority.exec(target)?.[0];
  if (start === undefined) return undefined;
  const rest = target.slice(start.length);
  if (rest === '') return method === 'OPTIONS' ? '*' : '/';
  return rest.startsWith('/') ? rest : `/${rest}`;
}
