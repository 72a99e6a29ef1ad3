import { schemaProblems } from '@turnout/contracts';
import type { z } from 'zod';
import { HttpProblem, unprocessable } from './problem.ts';

/** Levels of a body: rules within rules are read, compiled and told by recursion, here and on edges. */
const DEEPEST = 64;

/** Of a body that its schema refuses. */
export const MALFORMED = 'The body is not as it should be; `errors` names each problem.';

/**
 * A body as its schema reads it.
 *
 * @throws HttpProblem 422 that names every problem with its place
 */
export function checkedBody<Schema extends z.ZodType>(
  schema: Schema,
  body: unknown,
): z.output<Schema> {
  refuseTooDeep(body, 0);
  const { data, error } = schema.safeParse(body);
  if (error === undefined) return data;
  throw unprocessable(MALFORMED, schemaProblems(error, body));
}

/**
 * Refuses what is nested deeper than the code that reads it by recursion can take.
 *
 * @param above levels of the body that the value stands in
 * @throws HttpProblem 422
 */
export function refuseTooDeep(value: unknown, above: number): void {
  if (isDeeper(value, DEEPEST - above)) {
    throw unprocessable(`The body is nested too deeply: expected at most ${DEEPEST} levels.`, []);
  }
}

/**
 * A whole number of the query, or what it is without it.
 *
 * @throws HttpProblem 400 for anything but a number from 1 to `most`
 */
export function queryCount(
  query: Readonly<Record<string, unknown>>,
  name: string,
  { otherwise, most }: { readonly otherwise?: number; readonly most: number },
): number | undefined {
  const value = query[name];
  if (value === undefined) return otherwise;
  const count = typeof value === 'string' && /^[1-9]\d{0,8}$/.test(value) ? Number(value) : 0;
  if (count >= 1 && count <= most) return count;
  throw new HttpProblem(400, 'Bad Request', `Expected ?${name}= with a number from 1 to ${most}.`);
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((inner) => isDeeper(inner, levels - 1));
}

/**
 * A key of the query, such as a metric; undefined without it.
 *
 * @throws HttpProblem 400 for what can be no key
 */
export function queryKey(
  query: Readonly<Record<string, unknown>>,
  name: string,
): string | undefined {
  const value = query[name];
  if (value === undefined) return undefined;
  if (typeof value === 'string' && /^[a-z0-9][a-z0-9-]{0,63}$/.test(value)) return value;
  throw new HttpProblem(
    400,
    'Bad Request',
    `Expected ?${name}= with lower-case letters, digits and dashes, no dash first (at most 64).`,
  );
}

/**
 * Whether the query asks for something; false without it.
 *
 * @throws HttpProblem 400 for anything but `true` or `false`
 */
export function queryFlag(query: Readonly<Record<string, unknown>>, name: string): boolean {
  const value = query[name] ?? 'false';
  if (value === 'true' || value === 'false') return value === 'true';
  throw new HttpProblem(400, 'Bad Request', `Expected ?${name}=true or ?${name}=false.`);
}
