/**
 * Where the edge is, from `TURNOUT_EDGE_URL`: it hears of conversions. Read at each request,
 * never at build time.
 */
export function edgeUrl(): URL {
  return new URL(process.env['TURNOUT_EDGE_URL'] ?? 'http://127.0.0.1:8080');
}
