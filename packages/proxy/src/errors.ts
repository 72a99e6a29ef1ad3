/**
 * Why an exchange with an upstream failed. The upstream gave no usable answer:
 *
 * - `refused`: no connection could be made, or the pool is closed or full. Nothing was sent.
 * - `timeout`: connecting, or the wait for the first byte, or a silence inside the body took too long.
 * - `broken`: the connection died before the answer was complete.
 * - `invalid answer`: bytes came back that are not HTTP/1.1.
 *
 * Or it was the client's fault, and says nothing about the upstream:
 *
 * - `client timeout`: the client stopped midway, in sending its request's body or in reading the answer.
 * - `invalid request`: the request cannot be expressed to an upstream.
 */
export type UpstreamErrorCode =
  | 'refused'
  | 'timeout'
  | 'broken'
  | 'invalid answer'
  | 'client timeout'
  | 'invalid request';

const statusByCode = {
  refused: 503,
  timeout: 504,
  broken: 502,
  'invalid answer': 502,
  'client timeout': 408,
  'invalid request': 400,
} as const satisfies Record<UpstreamErrorCode, number>;

/** One failed exchange with an upstream. `cause` is what the transport reported. */
export class UpstreamError extends Error {
  override readonly name = 'UpstreamError';
  readonly code: UpstreamErrorCode;
  /** Name of the upstream, as configured. */
  readonly upstream: string;

  constructor(code: UpstreamErrorCode, upstream: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.upstream = upstream;
  }

  /** The status that tells the client about it (RFC 9110 sections 15.5 and 15.6). */
  get status(): 400 | 408 | 502 | 503 | 504 {
    return statusByCode[this.code];
  }

  /** True if the client is to blame: no reason to count an error of the upstream, nor to try another. */
  get clientFault(): boolean {
    return this.status < 500;
  }
}

/** An upstream's configuration cannot be used; the message says what to write instead. */
export class UpstreamConfigError extends Error {
  override readonly name = 'UpstreamConfigError';
}

const codesByTransportCode = new Map<string, UpstreamErrorCode>([
  ['UND_ERR_CONNECT_TIMEOUT', 'timeout'],
  ['UND_ERR_HEADERS_TIMEOUT', 'timeout'],
  ['UND_ERR_BODY_TIMEOUT', 'timeout'],
  ['ECONNECT_TIMEOUT', 'timeout'],
  ['ETIMEDOUT', 'timeout'],
  ['UND_ERR_DESTROYED', 'refused'],
  ['UND_ERR_CLOSED', 'refused'],
  ['ECONNREFUSED', 'refused'],
  ['EHOSTUNREACH', 'refused'],
  ['ENETUNREACH', 'refused'],
  ['ENOTFOUND', 'refused'],
  ['EAI_AGAIN', 'refused'],
  ['UND_ERR_HEADERS_OVERFLOW', 'invalid answer'],
  ['ERR_ASSERTION', 'invalid answer'],
  ['ERR_INVALID_CHAR', 'invalid answer'],
  ['ERR_INVALID_HTTP_TOKEN', 'invalid answer'],
  ['ERR_HTTP_INVALID_STATUS_CODE', 'invalid answer'],
  ['UND_ERR_INVALID_ARG', 'invalid request'],
  ['UND_ERR_NOT_SUPPORTED', 'invalid request'],
  ['ERR_UNESCAPED_CHARACTERS', 'invalid request'],
]);

/** Classifies what undici, node:http or the socket reported. An `UpstreamError` comes back as it is. */
export function toUpstreamError(error: unknown, upstream: string): UpstreamError {
  if (error instanceof UpstreamError) return error;
  const transportCode =
    error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
  const code =
    codesByTransportCode.get(transportCode) ??
    (isParserError(error, transportCode) ? 'invalid answer' : 'broken');
  return upstreamError(code, upstream, error);
}

function upstreamError(code: UpstreamErrorCode, upstream: string, cause: unknown): UpstreamError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new UpstreamError(code, upstream, `Upstream "${upstream}": ${code}: ${reason}`, cause);
}

/**
 * Classifies what made connecting fail: whatever it was, a certificate for instance, nothing
 * has been sent yet.
 */
export function toConnectError(error: unknown, upstream: string): UpstreamError {
  const classified = toUpstreamError(error, upstream);
  if (classified.code === 'timeout' || classified.code === 'refused') return classified;
  return upstreamError('refused', upstream, error);
}

/** undici's parser gives its errors a name; node's gives them a code, HPE_<reason>. */
function isParserError(error: unknown, transportCode: string): boolean {
  return (
    (error instanceof Error && error.name === 'HTTPParserError') || transportCode.startsWith('HPE_')
  );
}
