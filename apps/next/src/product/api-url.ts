/**
 * Where the API server is, from `TURNOUT_API_URL`. Read at each request, never
 * at build time: one build runs in any environment.
 */
export function apiUrl(): URL {
  return new URL(process.env['TURNOUT_API_URL'] ?? 'http://127.0.0.1:4000');
}
