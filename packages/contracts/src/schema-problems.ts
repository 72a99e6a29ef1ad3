import type { z } from 'zod';
import type { Path, Problem } from './problem.ts';
import { issuesOfBranch } from './union-issues.ts';

/** What a schema found wrong with `raw`, in words that say what was expected and what was there. */
export function schemaProblems(error: z.ZodError | undefined, raw: unknown): readonly Problem[] {
  return error?.issues.flatMap((issue) => describe(issue, raw)) ?? [];
}

function describe(issue: z.core.$ZodIssue, raw: unknown): readonly Problem[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: [...issue.path, key], message: 'unknown key' }));
  }
  if (issue.code === 'invalid_type' && issue.message.startsWith('Invalid input')) {
    const value = valueAt(raw, issue.path);
    const message =
      value === undefined
        ? `missing (expected ${issue.expected})`
        : `expected ${issue.expected}, got ${JSON.stringify(value)}`;
    return [{ path: issue.path, message }];
  }
  // A union that the value was meant for one branch of: what is wrong inside that one.
  if (issue.code === 'invalid_union') {
    const inner = issuesOfBranch(issue);
    if (inner !== undefined) {
      return inner.flatMap((one) => describe({ ...one, path: [...issue.path, ...one.path] }, raw));
    }
  }
  // A record whose key is refused: the reason is inside.
  if (issue.code === 'invalid_key') {
    return issue.issues.map((inner) => ({ path: issue.path, message: inner.message }));
  }
  return [{ path: issue.path, message: `${issue.message}${got(issue.message, raw, issue.path)}` }];
}

/** What stands there, where the message has not said it; never a secret. */
function got(message: string, raw: unknown, path: Path): string {
  if (!message.startsWith('expected') || message.includes(', got ')) return '';
  if (path[0] === 'cookieSecrets') return '';
  const value = valueAt(raw, path);
  // It may hold a password, wherever that stands in a URL that is none.
  if (path[0] === 'redis' && String(value).includes('@')) return '';
  return value === undefined || typeof value === 'object' ? '' : `, got ${JSON.stringify(value)}`;
}

function valueAt(raw: unknown, path: Path): unknown {
  let value = raw;
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = Reflect.get(value, key);
  }
  return value;
}
