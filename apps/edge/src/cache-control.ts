const UNSUITABLE = new Set(['public', 'private', 's-maxage', 'proxy-revalidate']);

/**
 * What the visitor's own browser may do with a response that depends on the
 * variant, and no cache between may: `private`, and nothing for shared caches
 * (RFC 9111, section 5.2.2). What speaks to those caches alone, and would be obeyed
 * before it (RFC 9213, Surrogate-Control), is taken out. Mutates the flat header list.
 *
 * @param headers names and values in turn
 */
export function makePrivate(headers: string[]): void {
  let found = false;
  for (let i = headers.length - 2; i >= 0; i -= 2) {
    const name = headers[i] ?? '';
    // The shortest of them has 13 characters; most names are shorter or begin otherwise.
    if (name.length < 13) continue;
    const field = name.toLowerCase();
    if (field === 'cache-control') {
      found = true;
      headers[i + 1] = privateDirectives(headers[i + 1] ?? '');
    } else if (field === 'surrogate-control' || field.endsWith('cdn-cache-control')) {
      headers.splice(i, 2);
    }
  }
  if (!found) headers.push('Cache-Control', 'private, no-cache');
}

function privateDirectives(value: string): string {
  const kept: string[] = [];
  let shared = false;
  for (const part of value.split(',')) {
    const directive = part.trim();
    const name = (directive.split('=', 1)[0] ?? '').toLowerCase();
    if (name === 'no-store') return value;
    if (name === 's-maxage') shared = true;
    if (directive !== '' && !UNSUITABLE.has(name)) kept.push(directive);
  }
  // A page meant for shared caches alone says nothing to browsers: have them ask.
  const freshness = shared && !kept.some((directive) => /^(max-age|no-cache)/i.test(directive));
  return ['private', ...(freshness ? ['no-cache'] : []), ...kept].join(', ');
}
