import { pathName, type Problem } from '@turnout/contracts';

/**
 * A problem document (RFC 9457).
 *
 * @param problems each with its place in the request's body
 */
export function problem(
  status: number,
  title: string,
  detail: string,
  problems?: readonly Problem[],
) {
  const errors = problems?.map(({ path, message }) => ({ field: pathName(path), message }));
  return { type: 'about:blank', title, status, detail, ...(errors !== undefined && { errors }) };
}
