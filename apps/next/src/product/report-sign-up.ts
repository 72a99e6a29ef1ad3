import { reportConversion } from '@turnout/client/server';
import { findPlan } from './api.ts';
import { SIGN_UP } from './sign-up-metric.ts';

/**
 * Reports a sign-up to the edge, worth the plan's price a month in euros. From the server, so
 * that it counts without JavaScript too.
 *
 * @param request headers of the request that signed up
 */
export async function reportSignUp(
  plan: string,
  request: Headers,
  { apiUrl, edgeUrl }: { apiUrl: URL; edgeUrl: URL },
): Promise<void> {
  const found = await findPlan(apiUrl, plan);
  const value = typeof found === 'string' ? undefined : found.price / 100;
  const header = (name: string) => request.get(name) ?? undefined;
  await reportConversion(
    { metric: SIGN_UP, value },
    { cookie: header('cookie'), 'x-request-id': header('x-request-id') },
    { edgeUrl, log: (line) => process.stderr.write(`${line}\n`) },
  );
}
