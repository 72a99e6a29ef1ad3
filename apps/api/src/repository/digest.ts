import { createHash } from 'node:crypto';

/** Tells a text from every other: 256 bits of SHA-256 in base64url, 43 characters. */
export function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
