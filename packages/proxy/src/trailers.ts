import { isHopByHop } from './hop-by-hop.ts';

/**
 * Fields that a recipient acts upon before a body has passed, or that say where a message ends
 * or goes (RFC 9110 section 6.5.1). Behind the body they could change what was decided.
 */
const neverTrailers = new Set([
  'age',
  'authorization',
  'cache-control',
  'content-encoding',
  'content-length',
  'content-range',
  'content-type',
  'cookie',
  'date',
  'expect',
  'expires',
  'forwarded',
  'host',
  'location',
  'max-forwards',
  'pragma',
  'range',
  'retry-after',
  'set-cookie',
  'trailer',
  'vary',
  'via',
  'warning',
]);

/**
 * The trailer fields that may pass on, as pairs.
 *
 * @param raw flat name/value pairs; Buffers are read as latin1.
 */
export function trailerFields(raw: readonly (string | Buffer)[]): [string, string][] {
  const fields: [string, string][] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i]?.toString('latin1') ?? '';
    const key = name.toLowerCase().replaceAll('_', '-');
    if (
      isHopByHop(key) ||
      neverTrailers.has(key) ||
      /^(?:if|proxy|x-forwarded|x-turnout)-/.test(key)
    )
      continue;
    fields.push([name, raw[i + 1]?.toString('latin1') ?? '']);
  }
  return fields;
}
