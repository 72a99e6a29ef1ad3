import { usageError } from './command-error.ts';

/** @throws {CommandError} for a text that is no revision */
export function parseRevision(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw usageError(`Expected a revision, a number from 1, got "${text}".`);
}
