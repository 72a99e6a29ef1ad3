import type { Problem } from '@turnout/contracts/product';

/** Tokens of all roles, for TURNOUT_ADMIN_TOKEN and TURNOUT_API_TOKENS. */
export const TOKENS = {
  admin: 'token-of-the-admin',
  editor: 'token-of-the-editor',
  viewer: 'token-of-the-viewer',
} as const;

/** The environment in which those tokens are known; editor and viewer are Eve and Vic. */
export const TOKEN_ENVIRONMENT = {
  TURNOUT_ADMIN_TOKEN: TOKENS.admin,
  TURNOUT_API_TOKENS: `eve:editor:${TOKENS.editor},vic:viewer:${TOKENS.viewer}`,
} as const;

export interface ManagementAnswer<Body> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Body;
}

/** Errors carry the paths of problems, and after a conflict what stands. */
export type ManagementProblem = Problem & { readonly current?: unknown };

/** One request to `/v1`, with the admin's token unless another is given. */
export async function manage<Body>(
  url: string,
  request: string,
  body?: unknown,
  { token = TOKENS.admin, headers = {} }: { token?: string; headers?: Record<string, string> } = {},
): Promise<ManagementAnswer<Body>> {
  const [method = '', path = ''] = request.split(' ');
  const response = await fetch(`${url}/v1${path}`, {
    method,
    headers: {
      ...(token !== '' && { Authorization: `Bearer ${token}` }),
      ...(body !== undefined && { 'Content-Type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const parsed: Body = text === '' ? undefined : JSON.parse(text);
  return { status: response.status, headers: response.headers, body: parsed };
}
