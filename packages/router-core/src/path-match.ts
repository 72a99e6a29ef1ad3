/**
 * Paths and globs. Rules are matched against one normalised form of the request's path,
 * so that no spelling of a path slips past the rule that is meant for it. The upstream
 * still gets the request target exactly as the client wrote it.
 *
 * The normalised form of a request target:
 * - Scheme and authority of an absolute-form target, the query and the fragment are cut
 *   off; what does not start with `/` gets one.
 * - `\` is `/`, as browsers read it; so are `%2F` and `%5C`, for some servers decode them first.
 * - What follows a `;` within a segment is cut off: servers that read path parameters serve
 *   `/a;v=1/b` as `/a/b`, and climb at `/a/..;/b`.
 * - Percent-escapes of unreserved characters (RFC 3986, 2.3) are decoded; others stay,
 *   with upper-case hex digits. A `%` that starts no escape is `%25`. Controls, spaces and
 *   bytes past ASCII are escaped.
 * - `.` and `..` segments are resolved, never above the root; runs of `/` are one `/`.
 * - A trailing `/` stays. Case counts (RFC 3986, 6.2.2.1).
 */

// Letters, digits, `_`, `~`, `-` and sub-delims but `;`, with dots past the first character of a
// segment: the paths of almost all requests, which are normalised as they stand.
const ALREADY_NORMALISED = /^(?:\/[\w~!$&'()*+,=:@-][\w~!$&'()*+,=:@.-]*)*\/?$/;
const ABSOLUTE_FORM = /^[A-Za-z][A-Za-z0-9+.-]*:\/\/[^/\\?#]*/;
const UNRESERVED = /^[\w.~-]$/;
const PATH_CHARACTER = /^[\w.~!$&'()*+,;=:@/-]$/;
const ESCAPE = /^%[0-9A-Fa-f]{2}/;

/**
 * The one form of a request target that rules are matched against. Never throws;
 * normalising twice changes nothing.
 *
 * @param rawTarget as node:http gives it: one character per byte
 */
export function normalisePath(rawTarget: string): string {
  const end = rawTarget.search(/[?#]/);
  const target = end === -1 ? rawTarget : rawTarget.slice(0, end);
  if (target !== '' && ALREADY_NORMALISED.test(target)) return target;
  return resolveDots(normaliseEscapes(target.replace(ABSOLUTE_FORM, '')));
}

/** Lower-case host name of a Host header value: no port, no trailing dot, IPv6 in brackets. */
export function normaliseHost(host: string): string {
  return host.toLowerCase().replace(/:\d*$/, '').replace(/\.$/, '');
}

function normaliseEscapes(path: string): string {
  let normalised = '';
  for (let index = 0; index < path.length; index += 1) {
    const character = path.charAt(index);
    if (character === '%') {
      const [escape] = ESCAPE.exec(path.slice(index, index + 3)) ?? [];
      if (escape === undefined) {
        normalised += '%25';
        continue;
      }
      const decoded = String.fromCharCode(Number.parseInt(escape.slice(1), 16));
      normalised += UNRESERVED.test(decoded) ? decoded : escape.toUpperCase();
      index += 2;
    } else if (character === '\\') {
      normalised += '/';
    } else if (PATH_CHARACTER.test(character)) {
      normalised += character;
    } else {
      const bytes = Buffer.from(character, character <= '\u00FF' ? 'latin1' : 'utf8');
      for (const byte of bytes) {
        normalised += `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
      }
    }
  }
  return normalised;
}

function resolveDots(path: string): string {
  const segments = path.split(/\/|%2F|%5C/).map(withoutParameters);
  const resolved: string[] = [];
  for (const segment of segments) {
    if (segment === '..') resolved.pop();
    else if (segment !== '' && segment !== '.') resolved.push(segment);
  }
  const last = segments.at(-1) ?? '';
  const isFolder = last === '' || isDots(last);
  return `/${resolved.join('/')}${isFolder && resolved.length > 0 ? '/' : ''}`;
}

/** `..;x` climbs, for servers that read parameters. */
function withoutParameters(segment: string): string {
  const start = segment.search(/;|%3B/);
  return start === -1 ? segment : segment.slice(0, start);
}

function isDots(segment: string): boolean {
  return segment === '.' || segment === '..';
}

/** Tells whether a normalised path is one that a glob means. */
export type PathMatcher = (normalisedPath: string) => boolean;

/**
 * Compiles a glob over paths. `*` stands for any characters within a segment (a segment
 * that is `*` alone is not empty); `**` as a whole segment stands for any number of
 * segments, none included, so `/plans/**` also matches `/plans`. All else is literal.
 *
 * @throws TypeError for a glob that does not start with `/`, or that uses `?`, `#`,
 *   brackets, braces, or `**` as part of a segment
 */
export function compilePathGlob(glob: string): PathMatcher {
  const segments = globSegments(glob);
  const literal = segments.findIndex((segment) => segment.includes('*'));
  if (literal === -1) {
    const exact = `/${segments.join('/')}`;
    return (path) => path === exact;
  }
  if (literal === segments.length - 1 && segments[literal] === '**') {
    const folder = segments
      .slice(0, -1)
      .map((segment) => `/${segment}`)
      .join('');
    const below = `${folder}/`;
    return (path) => path.startsWith(below) || path === folder;
  }
  const matchers = segments.map(segmentMatcher);
  const last = segments.at(-1) ?? '';
  const end = last.includes('*') ? '' : `/${last}`;
  // Almost no path ends as `/**/feed` wants it: rule it out before the path is taken apart.
  return (path) => path.endsWith(end) && matchesSequence(matchers, path.slice(1).split('/'));
}

/** The segments of a glob, normalised like a path. Shared with the route table's index. */
export function globSegments(glob: string): readonly string[] {
  if (!glob.startsWith('/')) {
    throw new TypeError(`expected a path that begins with "/", got "${glob}"`);
  }
  const special = /[?#[\]{}]/.exec(glob);
  if (special !== null) {
    throw new TypeError(
      `expected a path with no wildcards but * and **, got "${special[0]}" in "${glob}"`,
    );
  }
  const segments = normalisePath(asBytes(glob)).slice(1).split('/');
  const mixed = segments.find((segment) => segment !== '**' && segment.includes('**'));
  if (mixed !== undefined) {
    throw new TypeError(`expected ** to be a whole segment, got "${mixed}" in "${glob}"`);
  }
  return segments;
}

/**
 * The normalised form of a path that a configuration names as it is, wildcards and all.
 *
 * @throws TypeError for a path that does not start with `/`, or has a query or fragment
 */
export function literalPath(path: string): string {
  return normalisePath(asBytes(withoutQuery(path)));
}

/**
 * The normalised form of how a path begins. It may end amid a segment: `/.` begins
 * `/.well-known`.
 *
 * @throws TypeError as for `literalPath`
 */
export function literalPrefix(prefix: string): string {
  // With a character behind it, a dot is no segment and a slash no end.
  return normalisePath(`${asBytes(withoutQuery(prefix))}x`).slice(0, -1);
}

function withoutQuery(path: string): string {
  if (path.startsWith('/') && !/[?#]/.test(path)) return path;
  throw new TypeError(
    `expected a path that begins with "/", without ? and #, got ${JSON.stringify(path)}`,
  );
}

/** Configuration is Unicode text, request targets are bytes. */
function asBytes(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

type SegmentMatcher = '**' | ((segment: string) => boolean);

function segmentMatcher(pattern: string): SegmentMatcher {
  if (pattern === '**') return '**';
  if (pattern === '*') return (segment) => segment !== '';
  return pattern.includes('*') ? compileWildcard(pattern) : (segment) => segment === pattern;
}

/**
 * Compiles a pattern in which `*` stands for any characters, none included. Each literal
 * piece is taken at its first occurrence, which is enough, and linear: no backtracking
 * for a long hostile name to blow up.
 */
export function compileWildcard(pattern: string): (text: string) => boolean {
  const [head = '', ...pieces] = pattern.split('*');
  const tail = pieces.pop();
  if (tail === undefined) return (text) => text === pattern;
  return (text) => {
    if (text.length < head.length + tail.length) return false;
    if (!text.startsWith(head) || !text.endsWith(tail)) return false;
    const end = text.length - tail.length;
    let from = head.length;
    for (const piece of pieces) {
      const found = text.indexOf(piece, from);
      if (found === -1 || found + piece.length > end) return false;
      from = found + piece.length;
    }
    return true;
  };
}

/**
 * Matches segments against patterns with `**`. On a mismatch the latest `**` takes one
 * segment more; an earlier one never needs to, so the work is bounded by the product of
 * both lengths.
 */
function matchesSequence(
  matchers: readonly SegmentMatcher[],
  segments: readonly string[],
): boolean {
  let at = 0;
  let star = -1;
  let taken = 0;
  let index = 0;
  while (index < segments.length) {
    const matcher = matchers[at];
    if (matcher === '**') {
      star = at;
      at += 1;
      taken = index;
    } else if (matcher?.(segments[index] ?? '') === true) {
      at += 1;
      index += 1;
    } else if (star !== -1) {
      at = star + 1;
      taken += 1;
      index = taken;
    } else {
      return false;
    }
  }
  return matchers.slice(at).every((matcher) => matcher === '**');
}

/** Tells whether a normalised host is one of those meant. */
export type HostMatcher = (normalisedHost: string) => boolean;

/**
 * Compiles a list of host names, each exact or `*.example.com` (any subdomain, at any
 * depth). No names means any host.
 *
 * @throws TypeError for a name that no normalised host can match
 */
export function compileHosts(hosts: readonly string[]): HostMatcher {
  const exact = new Set<string>();
  const suffixes: string[] = [];
  for (const host of hosts) {
    const name = normaliseHost(host);
    const isWildcard = name.startsWith('*.');
    const rest = isWildcard ? name.slice(1) : name;
    if (!/^(?:\.?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])$/.test(rest)) {
      throw new TypeError(
        `expected a host name such as "example.com" or "*.example.com", got "${host}"`,
      );
    }
    if (isWildcard) suffixes.push(rest);
    else exact.add(rest);
  }
  if (hosts.length === 0) return () => true;
  return (host) => exact.has(host) || suffixes.some((suffix) => host.endsWith(suffix));
}
