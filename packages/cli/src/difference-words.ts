import type { Difference } from '@turnout/contracts/management';
import { percentOfSlots } from './numbers.ts';

/** Differences of two documents as people say them, one a line: `weight of A: 20 % → 30 %`. */
export function differenceWords(diff: readonly Difference[]): string[] {
  const words = diff.filter(({ path }) => path[0] !== 'revision' && !isLayout(path)).map(sentence);
  // Ranges say nothing to people; who would move, the preview says.
  return diff.some(({ path }) => isLayout(path)) ? [...words, 'slots: laid out anew'] : words;
}

/** What the API writes by itself when weights change. */
function isLayout(path: Difference['path']): boolean {
  const [first, , part] = path;
  return first === 'moves' || first === 'movesEnded' || (first === 'variants' && part === 'slots');
}

function sentence({ path, before, after }: Difference): string {
  const [first, variant, ...rest] = path;
  if (first === 'variants' && variant !== undefined) {
    const of = rest.length === 0 ? `variant ${variant}` : `${dotted(rest)} of ${variant}`;
    return change(of, path, before, after);
  }
  return change(first === 'variants' ? 'order of variants' : dotted(path), path, before, after);
}

function change(what: string, path: Difference['path'], before: unknown, after: unknown): string {
  if (before === undefined) return `${what}: new, ${value(path, after)}`;
  if (after === undefined) return `${what}: removed, was ${value(path, before)}`;
  return `${what}: ${value(path, before)} → ${value(path, after)}`;
}

function dotted(path: Difference['path']): string {
  return path.reduce<string>(
    (so, key) => (typeof key === 'number' ? `${so}[${key}]` : `${so}${so && '.'}${key}`),
    '',
  );
}

function value(path: Difference['path'], given: unknown): string {
  if (path.length === 1 && path[0] === 'coverage' && typeof given === 'number') {
    return percentOfSlots(given);
  }
  if (path[0] === 'variants' && path[2] === 'weight') return `${String(given)} %`;
  if (Array.isArray(given) && given.every((item) => typeof item === 'string')) {
    return given.join(', ') || 'none';
  }
  if (typeof given === 'string' && /^[\w-]+$/.test(given)) return given;
  return JSON.stringify(given);
}
