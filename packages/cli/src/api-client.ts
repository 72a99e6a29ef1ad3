import { CommandError, EXIT, type ExitCode } from './command-error.ts';
import type { Context } from './context.ts';
import { Installation, type PlaceOptions } from './installation.ts';
import { minute } from './numbers.ts';

/** How long an answer may take, in milliseconds. */
const PATIENCE = 30_000;

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

/** Asks one server for JSON, and tells in a sentence why it could not be had. */
export interface JsonClient {
  /** Where the server is. */
  readonly url: string;
  /**
   * @throws {CommandError} unreachable, unauthorised, or refused with what the problem document says
   */
  request<Answer>(method: Method, path: string, body?: unknown): Promise<Answer>;
}

/** The management API, with the token of this user. */
export async function apiClient(context: Context, options: PlaceOptions): Promise<JsonClient> {
  const installation = new Installation(options, context.env);
  const token = await installation.token();
  if (token === undefined) {
    throw new CommandError(
      'No token for the API: give one as --token or TURNOUT_TOKEN, or run this beside the turnout.yaml whose data folder holds it.',
      EXIT.unauthorised,
    );
  }
  return jsonClient({
    url: await installation.apiUrl(),
    name: 'the API',
    fix: 'Start it (npm start; beside an edge of your own: pnpm api), or say where it is by --api or TURNOUT_API_URL.',
    token,
    signal: context.signal,
  });
}

/** The edge's private port, which answers to whoever reaches it. */
export async function edgeClient(context: Context, options: PlaceOptions): Promise<JsonClient> {
  const installation = new Installation(options, context.env);
  return jsonClient({
    url: await installation.edgeUrl(),
    name: "the edge's private port",
    fix: 'Start it (turnout serve), or say where it is by --edge or TURNOUT_PRIVATE_URL.',
    signal: context.signal,
  });
}

interface JsonServer {
  readonly url: string;
  /** For messages: `the API`. */
  readonly name: string;
  /** What to do when it can't be reached. */
  readonly fix: string;
  readonly token?: string;
  readonly signal: AbortSignal;
}

function jsonClient({ url, name, fix, token, signal }: JsonServer): JsonClient {
  const at = `${name} at ${url}`;
  return {
    url,
    async request<Answer>(method: Method, path: string, body?: unknown): Promise<Answer> {
      const patience = AbortSignal.timeout(PATIENCE);
      let response: Response;
      let text: string;
      try {
        response = await fetch(`${url}${path}`, {
          method,
          headers: {
            accept: 'application/json',
            ...(token !== undefined && { authorization: `Bearer ${token}` }),
            ...(body !== undefined && { 'content-type': 'application/json' }),
          },
          ...(body !== undefined && { body: JSON.stringify(body) }),
          signal: AbortSignal.any([signal, patience]),
          redirect: 'error',
        });
        text = await response.text();
      } catch (cause) {
        if (signal.aborted) throw cause;
        const reason = patience.aborted ? `no answer within ${PATIENCE / 1_000} s` : causeOf(cause);
        throw new CommandError(`Can't reach ${at}: ${reason}. ${fix}`, EXIT.unreachable, { cause });
      }
      const answer = parseJson(text);
      if (answer === undefined) {
        throw new CommandError(
          `What answers at ${url} is not ${name} of Turnout: expected JSON, got status ${response.status} with ${response.headers.get('content-type') ?? 'no content type'}. ${fix}`,
          EXIT.unreachable,
        );
      }
      if (response.ok) {
        const accepted: Answer = JSON.parse(text);
        return accepted;
      }
      throw refusal(response.status, answer);
    },
  };
}

/** The error for a problem document (RFC 9457). */
function refusal(status: number, problem: unknown): CommandError {
  const { detail, title, errors, current } = asProblem(problem);
  const message = detail ?? title ?? `The API answered with status ${status}.`;
  return new CommandError(message, exitCodeOf(status), { details: [...errors, ...current] });
}

function exitCodeOf(status: number): ExitCode {
  if (status === 401 || status === 403) return EXIT.unauthorised;
  // A server on the way, or a database behind it, that does not answer: try again.
  return status >= 502 && status <= 504 ? EXIT.unreachable : EXIT.refused;
}

function asProblem(value: unknown): {
  readonly detail: string | undefined;
  readonly title: string | undefined;
  readonly errors: readonly string[];
  readonly current: readonly string[];
} {
  const problem = typeof value === 'object' && value !== null ? { ...value } : {};
  const { detail, title, errors, current }: Record<string, unknown> = problem;
  return {
    detail: typeof detail === 'string' ? detail : undefined,
    title: typeof title === 'string' ? title : undefined,
    errors: Array.isArray(errors) ? errors.map((error: unknown) => fieldError(error)) : [],
    current: current === undefined ? [] : currentRevision(current),
  };
}

/** Who came first, where a change was made from a revision that has moved on. */
function currentRevision(record: unknown): string[] {
  if (typeof record !== 'object' || record === null) return [];
  const { key, revision, author, updatedAt, reason }: Record<string, unknown> = { ...record };
  return [
    `revision ${String(revision)} is by ${String(author)}, ${minute(String(updatedAt))}: ${String(reason)}`,
    `turnout history ${String(key)} shows what changed, turnout get ${String(key)} gives the document to edit anew.`,
  ];
}

function fieldError(error: unknown): string {
  if (typeof error !== 'object' || error === null) return String(error);
  const { field, message }: Record<string, unknown> = { ...error };
  return typeof field === 'string' && field !== ''
    ? `${field}: ${String(message)}`
    : String(message);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** `fetch` hides the reason in its cause. */
function causeOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (!(cause instanceof Error)) return String(cause);
  const code = 'code' in cause ? String(cause.code) : '';
  return cause.message || code || cause.name;
}
