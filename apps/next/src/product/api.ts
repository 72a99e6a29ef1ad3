import {
  planListSchema,
  planSchema,
  problemSchema,
  signUpSchema,
  type Plan,
  type Problem,
  type SignUp,
  type SignUpRequest,
} from '@turnout/contracts/product';

/** Milliseconds until the API counts as down. A visitor waits no longer than this for a page. */
const TIMEOUT_MS = 2_500;

/** What a call may come to when the API does not answer as agreed. */
export type Unavailable = 'unavailable';

type SignUpReply = { signUp: SignUp } | { problem: Problem };

/** All plans, cheapest first. */
export async function listPlans(apiUrl: URL): Promise<readonly Plan[] | Unavailable> {
  return call(apiUrl, '/api/plans', {}, async (response) => {
    expectStatus(response, 200);
    return planListSchema.parse(await response.json()).plans;
  });
}

/** One plan; `missing` when the shop has no plan of that id. */
export async function findPlan(apiUrl: URL, id: string): Promise<Plan | 'missing' | Unavailable> {
  // From the address bar, so it could be anything: `..` would reach another resource.
  if (!planSchema.shape.id.safeParse(id).success) return 'missing';
  return call(apiUrl, `/api/plans/${id}`, {}, async (response) => {
    if (response.status === 404) {
      await response.body?.cancel();
      return 'missing';
    }
    expectStatus(response, 200);
    return planSchema.parse(await response.json());
  });
}

/**
 * Signs somebody up; a refusal comes back as the API's problem document (RFC 9457).
 *
 * @param about further headers: what the edge says of the visit
 */
export async function signUp(
  apiUrl: URL,
  request: SignUpRequest,
  about: Readonly<Record<string, string>> = {},
): Promise<SignUpReply | Unavailable> {
  const init = {
    method: 'POST',
    headers: { ...about, 'content-type': 'application/json' },
    body: JSON.stringify(request),
  };
  return call<SignUpReply>(apiUrl, '/api/sign-ups', init, async (response) => {
    if (response.status >= 400 && response.status < 500) {
      return { problem: problemSchema.parse(await response.json()) };
    }
    expectStatus(response, 201);
    return { signUp: signUpSchema.parse(await response.json()) };
  });
}

function expectStatus(response: Response, expected: number): void {
  if (response.status !== expected) {
    throw new Error(`expected status ${expected}, got ${response.status}`);
  }
}

/** One request, read within the time limit. A failure is logged here and told to the caller as a value. */
async function call<T>(
  apiUrl: URL,
  path: string,
  init: RequestInit,
  read: (response: Response) => Promise<T>,
): Promise<T | Unavailable> {
  const url = new URL(path, apiUrl);
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    return await read(await fetch(url, { ...init, cache: 'no-store', signal }));
  } catch (error) {
    process.stderr.write(`${init.method ?? 'GET'} ${url.href} failed: ${describe(error)}\n`);
    return 'unavailable';
  }
}

/** fetch says only "fetch failed"; the reason (ECONNREFUSED …) is the cause. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${describe(error.cause)}`;
}
