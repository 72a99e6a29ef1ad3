import type { z } from 'zod';

type UnionIssue = Extract<z.core.$ZodIssue, { readonly code: 'invalid_union' }>;

/**
 * What is wrong inside the one branch of a union that a value was meant for, with paths from
 * the union on: the only branch in which all that is wrong lies deeper than the value itself.
 * `{ all: [{ path: x }] }` can only have meant `all`, so that the message about the `x` says
 * more than that it is no predicate. Undefined where no branch or several could be meant.
 */
export function issuesOfBranch({ errors }: UnionIssue): readonly z.core.$ZodIssue[] | undefined {
  const meant = errors.flatMap((branch) => {
    const issues = branch.flatMap(unwrap);
    const isInside = issues.length > 0 && issues.every(({ path }) => path.length > 0);
    return isInside ? [issues] : [];
  });
  return meant.length === 1 ? meant[0] : undefined;
}

/** A union within a union at the same place, as the issues of its own branch. */
function unwrap(issue: z.core.$ZodIssue): readonly z.core.$ZodIssue[] {
  if (issue.code !== 'invalid_union' || issue.path.length > 0) return [issue];
  return issuesOfBranch(issue) ?? [issue];
}
