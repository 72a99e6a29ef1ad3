import {
  Agent as HttpAgent,
  get as httpGet,
  type IncomingHttpHeaders,
  type IncomingMessage,
} from 'node:http';
import { Agent as HttpsAgent, get as httpsGet } from 'node:https';
import { isIP } from 'node:net';
import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib';

/** An upstream's whole answer to one GET; redirects are not followed. */
export interface Answer {
  readonly kind: 'answer';
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** At most `BODY_LIMIT` bytes of it. */
  readonly body: string;
  /** Milliseconds from the request to the head of the answer. */
  readonly firstByte: number;
  /** Whether the connection may carry another request. */
  readonly keepsAlive: boolean;
}

/** Why there is no answer, and what may help. */
export interface Failure {
  readonly kind: 'failure';
  readonly problem: string;
  readonly fix: string;
}

/** What a request says besides its path. */
export interface Ask {
  /** The Host that the visitor typed, with its port. */
  readonly host: string;
  readonly proto: 'http' | 'https';
  /** A page as a browser opens it, or a file that a page loads. */
  readonly accept: 'page' | 'file';
}

/** Asks one upstream, as the edge would on behalf of a visitor. */
export interface UpstreamClient {
  readonly name: string;
  /** `http[s]://host[:port]` */
  readonly origin: string;
  /** The same question is asked once, whoever asks again. */
  get(target: string, ask: Ask): Promise<Answer | Failure>;
  close(): void;
}

export interface UpstreamClientOptions {
  readonly name: string;
  readonly url: string;
  /** Milliseconds that a whole answer may take. */
  readonly timeout: number;
  readonly onAnswer?: () => void;
}

/** Bytes read of one answer: more than any page or script should have. */
const BODY_LIMIT = 4 * 1024 * 1024;
/** Requests to one upstream at a time: a check before launch is no load test. */
const AT_ONCE = 2;
/** Failures after which an upstream is asked no more: each may take the whole timeout. */
const MAX_FAILURES = 5;
const ACCEPT = { page: 'text/html,application/xhtml+xml', file: '*/*' } as const;

export function createUpstreamClient(options: UpstreamClientOptions): UpstreamClient {
  const { name, timeout, onAnswer } = options;
  const url = new URL(options.url);
  const isSecure = url.protocol === 'https:';
  const pooling = { keepAlive: true, maxSockets: AT_ONCE };
  const agent = isSecure ? new HttpsAgent(pooling) : new HttpAgent(pooling);
  const hostname = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const asked = new Map<string, Promise<Answer | Failure>>();
  const waiting: (() => void)[] = [];
  let running = 0;
  let failures = 0;

  function open(
    target: string,
    { host, proto, accept }: Ask,
    signal: AbortSignal,
  ): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const request = (isSecure ? httpsGet : httpGet)({
        agent,
        hostname,
        port: url.port,
        path: target,
        signal,
        // node would take it from the Host header. Certificates are for where we connect to.
        ...(isSecure && { servername: isIP(hostname) === 0 ? hostname : '' }),
        headers: {
          Host: host,
          'User-Agent': 'turnout-doctor',
          Accept: ACCEPT[accept],
          'Accept-Encoding': 'identity',
          'X-Forwarded-For': '127.0.0.1',
          'X-Forwarded-Host': host,
          'X-Forwarded-Proto': proto,
          Forwarded: `for=127.0.0.1;host="${host}";proto=${proto}`,
        },
      });
      request.on('response', resolve).on('error', reject);
    });
  }

  async function send(target: string, ask: Ask): Promise<Answer | Failure> {
    const began = performance.now();
    const signal = AbortSignal.timeout(timeout);
    try {
      const response = await open(target, ask, signal);
      const firstByte = performance.now() - began;
      const { statusCode: status = 0, headers } = response;
      const body = await readBody(response);
      return { kind: 'answer', status, headers, body, firstByte, keepsAlive: keepsAlive(response) };
    } catch (error) {
      return describeFailure(signal.aborted ? signal.reason : error, url.origin, timeout);
    }
  }

  /** Waits for its turn here, and not in the agent, where the timeout would count already. */
  async function sendInTurn(target: string, ask: Ask): Promise<Answer | Failure> {
    if (running === AT_ONCE) await new Promise<void>((resolve) => waiting.push(resolve));
    else running += 1;
    try {
      if (failures >= MAX_FAILURES) return givenUp(url.origin);
      const answer = await send(target, ask);
      if (answer.kind === 'failure') failures += 1;
      return answer;
    } finally {
      onAnswer?.();
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  }

  return {
    name,
    origin: url.origin,
    get(target, ask) {
      const question = JSON.stringify([target, ask]);
      let answer = asked.get(question);
      if (answer === undefined) asked.set(question, (answer = sendInTurn(target, ask)));
      return answer;
    },
    close: () => agent.destroy(),
  };
}

function keepsAlive({ headers: { connection }, httpVersion }: IncomingMessage): boolean {
  // HTTP/1.0 closes unless it says otherwise.
  if (httpVersion === '1.0') return /\bkeep-alive\b/i.test(connection ?? '');
  return !/\bclose\b/i.test(connection ?? '');
}

async function readBody(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response) {
    if (!Buffer.isBuffer(chunk)) continue;
    chunks.push(chunk);
    size += chunk.length;
    if (size > BODY_LIMIT) break;
  }
  const bytes = Buffer.concat(chunks, Math.min(size, BODY_LIMIT));
  return decompress(bytes, response.headers['content-encoding']).toString('utf8');
}

/** Some servers compress whatever is asked for. */
function decompress(bytes: Buffer, encoding: string | undefined): Buffer {
  const limit = { maxOutputLength: BODY_LIMIT };
  if (bytes.length === 0) return bytes;
  if (encoding === 'gzip') return gunzipSync(bytes, limit);
  if (encoding === 'br') return brotliDecompressSync(bytes, limit);
  if (encoding === 'deflate') return inflateSync(bytes, limit);
  return bytes;
}

const FAILURES: readonly {
  readonly code: RegExp;
  readonly problem: string;
  readonly fix: string;
}[] = [
  {
    code: /^ECONNREFUSED$/,
    problem: 'refused the connection: nothing listens there',
    fix: 'Start it, or correct its url',
  },
  {
    code: /^(ENOTFOUND|EAI_AGAIN)$/,
    problem: 'has a host name that no DNS server knows',
    fix: 'Correct the host name in its url',
  },
  {
    code: /^(EHOSTUNREACH|ENETUNREACH)$/,
    problem: "can't be reached from this machine",
    fix: 'Look at the network between: routes, firewalls, the container network',
  },
  {
    code: /^(EPROTO|ERR_SSL_.*)$/,
    problem: 'failed the TLS handshake',
    fix: 'Write http:// in its url if it speaks no TLS there',
  },
  {
    code: /^(CERT_.*|ERR_TLS_.*|DEPTH_ZERO_.*|SELF_SIGNED_.*|UNABLE_TO_.*)$/,
    problem: 'has a certificate that is not trusted',
    fix: "Give it a certificate for the host name in its url, or name its authority's in NODE_EXTRA_CA_CERTS",
  },
  {
    code: /^HPE_/,
    problem: 'answered with something that is not HTTP/1.1',
    fix: 'Write https:// in its url if it speaks TLS there; else look at what listens on that port',
  },
  {
    code: /^(ECONNRESET|EPIPE|ERR_STREAM_PREMATURE_CLOSE)$/,
    problem: 'broke the connection off before its answer was complete',
    fix: 'Look into its log; it may speak TLS there (https:// in its url)',
  },
];

function givenUp(origin: string): Failure {
  return {
    kind: 'failure',
    problem: `${origin} failed ${MAX_FAILURES} times before, and was not asked`,
    fix: 'Mend what is told of it above, then check again',
  };
}

function describeFailure(reason: unknown, origin: string, timeout: number): Failure {
  if (reason instanceof Error && reason.name === 'TimeoutError') {
    return {
      kind: 'failure',
      problem: `${origin} gave no whole answer within ${timeout} ms`,
      fix: 'See why it is slow; if it has to be, give --timeout more than that',
    };
  }
  const code =
    reason instanceof Error && 'code' in reason && typeof reason.code === 'string'
      ? reason.code
      : '';
  const message = reason instanceof Error ? reason.message : String(reason);
  const known = FAILURES.find((failure) => failure.code.test(code));
  return {
    kind: 'failure',
    problem: `${origin} ${known?.problem ?? 'gave no usable answer'} (${message.trim()})`,
    fix: known?.fix ?? 'Look into its log',
  };
}
