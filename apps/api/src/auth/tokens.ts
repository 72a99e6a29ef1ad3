import { createHash, timingSafeEqual } from 'node:crypto';
import { ROLES } from '@turnout/contracts/management';
import type { Role } from '@turnout/contracts/management';

/** Somebody who may manage experiments. */
export interface Holder {
  /** Who the audit says it was. */
  readonly name: string;
  readonly role: Role;
}

/** A bearer token and whose it is. */
export interface Token extends Holder {
  readonly token: string;
}

const SHORTEST = 16;
/** Who changes experiments without a token of this list. */
const RESERVED: ReadonlySet<string> = new Set(['admin', 'ramp', 'turnout.yaml']);
/** What a bearer token may hold (RFC 6750, 2.1), except for the comma that would end it here. */
const BEARER = /^[A-Za-z0-9\-._~+/]+=*$/;

/**
 * Reads `name:role:token` lists. Tokens are never repeated in problems.
 *
 * @param variable the name that problems carry
 */
export function readTokens(
  text: string,
  variable: string,
): { readonly tokens: Token[]; readonly problems: string[] } {
  const problems: string[] = [];
  const tokens = text.split(',').flatMap((entry, index): Token[] => {
    const [name = '', roleText = '', ...rest] = entry.trim().split(':');
    const token = rest.join(':');
    const role = ROLES.find((one) => one === roleText);
    const which = `${variable}, entry ${index + 1}`;
    if (!/^[A-Za-z0-9][\w.@-]{0,63}$/.test(name) || role === undefined) {
      problems.push(`${which}: expected name:role:token with a role of ${ROLES.join(', ')}.`);
      return [];
    }
    if (RESERVED.has(name)) {
      problems.push(`${which}: the name "${name}" is taken, choose another.`);
    }
    const problem = tokenProblem(token, `${which} ("${name}")`);
    if (problem !== undefined) problems.push(problem);
    return [{ name, role, token }];
  });
  for (const [index, { name, token }] of tokens.entries()) {
    const earlier = tokens.slice(0, index);
    if (earlier.some((other) => other.name === name)) {
      problems.push(`${variable}: the name "${name}" is there twice.`);
    }
    const twin = earlier.find((other) => other.token === token);
    if (twin !== undefined) {
      problems.push(
        `${variable}: "${twin.name}" and "${name}" have the same token, give each one of their own.`,
      );
    }
  }
  return { tokens, problems };
}

/** What is wrong with a token; the token itself is not repeated. */
export function tokenProblem(token: string, which: string): string | undefined {
  if (token.length < SHORTEST) {
    return `${which}: expected a token of at least ${SHORTEST} characters, got ${token.length}.`;
  }
  if (!BEARER.test(token)) {
    return `${which}: expected a token of letters, digits and -._~+/ only.`;
  }
  return undefined;
}

/** Tells whose a bearer token is. */
export type Authenticate = (token: string) => Holder | undefined;

/**
 * Compares SHA-256 digests in constant time, with all tokens each time: how long it takes says
 * nothing of any token, nor of which one it was.
 */
export function createAuthenticate(tokens: readonly Token[]): Authenticate {
  const known = tokens.map(({ token, name, role }) => ({
    digest: sha256(token),
    holder: { name, role },
  }));
  return (token) => {
    const digest = sha256(token);
    let found: Holder | undefined;
    for (const { digest: other, holder } of known) {
      if (timingSafeEqual(digest, other)) found = holder;
    }
    return found;
  };
}

/** Whether a role may do what needs `needed`. */
export function isAllowed(role: Role, needed: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(needed);
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
