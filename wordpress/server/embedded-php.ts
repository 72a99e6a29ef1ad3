import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createNodeFsMountHandler, loadNodeRuntime } from '@php-wasm/node';
import {
  PHP,
  PHPResponse,
  setPhpIniEntries,
  type HTTPMethod,
  type PHPRunOptions,
} from '@php-wasm/universal';
import { makeHostRequest } from './host-http.ts';
import {
  bodyLimit,
  isAnswerHeader,
  phpRequestHeaders,
  readBody,
  type PhpBackend,
} from './php-backend.ts';
import { QueueFullError, SerialQueue } from './serial-queue.ts';
import { mountPoints, sources, type SiteFolder } from './site-folder.ts';

/** Requests that may wait for PHP; at 50 ms each, more would wait for too long. */
const queueLimit = 256;
const methods = new Set<string>(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/** The site's folder as PHP sees it. */
const root = '/srv';
const documentRoot = `${root}/site`;

export interface EmbeddedPhpOptions {
  readonly site: SiteFolder;
  /** URLs of the servers that PHP may call, and no others. */
  readonly servers: readonly string[];
  /** Environment of the PHP scripts. */
  readonly env: Readonly<Record<string, string>>;
  /**
   * Requests after which a fresh runtime takes over. WebAssembly memory only
   * ever grows, so a leak in a script would otherwise stay for good.
   */
  readonly requestsPerRuntime: number;
  /** Receives what PHP writes to its error log, and what becomes of its runtimes, line by line. */
  readonly log: (line: string) => void;
}

/**
 * PHP inside this process: one WebAssembly instance that gets one request at a
 * time, since it can do no more, and SQLite's locks rely on it.
 */
export class EmbeddedPhp implements PhpBackend {
  readonly description = 'embedded PHP 8.5 (WebAssembly)';
  /** Never settles: a runtime that breaks is replaced. */
  readonly lost = new Promise<Error>(() => undefined);
  readonly #options: EmbeddedPhpOptions;
  readonly #queue = new SerialQueue(queueLimit);
  #php: PHP;
  #requests = 0;
  #next: Promise<PHP> | undefined;

  private constructor(options: EmbeddedPhpOptions, php: PHP) {
    this.#options = options;
    this.#php = php;
  }

  static async start(options: EmbeddedPhpOptions): Promise<EmbeddedPhp> {
    return new EmbeddedPhp(options, await bootRuntime(options));
  }

  /**
   * Runs a script of the site's folder (`/install.php`) outside of any request.
   *
   * @returns What it printed.
   * @throws When it ends with another code than 0.
   */
  async runScript(script: string, env: Readonly<Record<string, string>>): Promise<string> {
    const answer = await this.#queue.run(() =>
      this.#run({ scriptPath: root + script, env: { ...this.#options.env, ...env } }),
    );
    if (answer.exitCode !== 0) {
      throw new Error(
        `${script} ended with code ${answer.exitCode}: ${answer.text || answer.errors}`,
      );
    }
    return answer.text;
  }

  async handle(request: IncomingMessage, response: ServerResponse, script: string): Promise<void> {
    const method = request.method ?? 'GET';
    if (!methods.has(method)) {
      response.writeHead(405, { Allow: [...methods].join(', ') }).end();
      return;
    }
    const body = await readBody(request, bodyLimit);
    const options: PHPRunOptions = {
      scriptPath: documentRoot + script,
      relativeUri: request.url ?? '/',
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Checked just above.
      method: method as HTTPMethod,
      headers: {
        ...phpRequestHeaders(request.headersDistinct),
        ...(body.length > 0 ? { 'content-length': String(body.length) } : {}),
      },
      ...(body.length > 0 ? { body } : {}),
      env: this.#options.env,
      $_SERVER: {
        DOCUMENT_ROOT: documentRoot,
        PHP_SELF: script,
        REMOTE_ADDR: request.socket.remoteAddress ?? '127.0.0.1',
        SCRIPT_NAME: script,
        SERVER_SOFTWARE: 'turnout',
      },
    };
    let answer: PHPResponse | undefined;
    try {
      answer = await this.#queue.run(async () => {
        // Whoever left while waiting costs nobody a turn.
        if (response.destroyed) return undefined;
        try {
          return await this.#run(options);
        } catch (error) {
          this.#options.log(`runtime replaced: ${String(error)}`);
          await this.#replaceRuntime();
          // Only what changes nothing may run twice.
          if (method !== 'GET' && method !== 'HEAD') throw error;
          return this.#run(options);
        }
      });
    } catch (error) {
      if (!(error instanceof QueueFullError)) throw error;
      response
        .writeHead(503, { 'Content-Type': 'text/plain; charset=utf-8', 'Retry-After': '5' })
        .end('Many visitors at once. Please try again in a few seconds.\n');
      return;
    }
    if (!answer || response.destroyed) return;
    response.statusCode = answer.httpStatusCode;
    for (const [name, values] of Object.entries(answer.headers)) {
      if (isAnswerHeader(name)) response.setHeader(name, values);
    }
    response.setHeader('Content-Length', answer.bytes.byteLength);
    response.end(answer.bytes);
  }

  async close(): Promise<void> {
    const next = await this.#next?.catch(() => undefined);
    dispose(next);
    dispose(this.#php);
  }

  /** One request, then a new runtime if the old one has had its share. Call in the queue only. */
  async #run(options: PHPRunOptions): Promise<PHPResponse> {
    if (this.#requests >= this.#options.requestsPerRuntime) {
      await this.#replaceRuntime();
      this.#options.log(
        `a fresh runtime takes over after ${this.#options.requestsPerRuntime} requests`,
      );
    }
    this.#requests += 1;
    const answer = await PHPResponse.fromStreamedResponse(await this.#php.runStream(options));
    for (const line of answer.errors.split('\n')) if (line.trim()) this.#options.log(line);
    // The next one starts before it is needed, so that nobody waits for it.
    if (this.#requests >= this.#options.requestsPerRuntime * 0.9) {
      this.#next ??= bootRuntime(this.#options);
      this.#next.catch(() => undefined);
    }
    return answer;
  }

  async #replaceRuntime(): Promise<void> {
    const next = this.#next ?? bootRuntime(this.#options);
    this.#next = undefined;
    const php = await next;
    dispose(this.#php);
    this.#php = php;
    this.#requests = 0;
  }
}

/** Ends a runtime; one that has crashed already has nothing left to end. */
function dispose(php: PHP | undefined): void {
  try {
    php?.exit();
  } catch {
    // Emscripten reports the end of a program by throwing.
  }
}

/**
 * Closes the WebSocket server that each runtime opens for PHP's sockets. PHP
 * makes its requests through us; and any page in a browser on this machine
 * could reach hosts through that server.
 */
function closeSocketProxy(runtime: { outboundNetworkProxyServer?: Server }): void {
  runtime.outboundNetworkProxyServer?.close();
}

async function bootRuntime({ site, servers }: EmbeddedPhpOptions): Promise<PHP> {
  const php = new PHP(
    await loadNodeRuntime('8.5', {
      emscriptenOptions: {
        // One id for all: it tells holders of file locks apart, and there is but one.
        processId: 1,
        preRun: [closeSocketProxy],
      },
    }),
  );
  php.onMessage((message) => makeHostRequest(message, servers));
  await setPhpIniEntries(php, {
    // Compiled scripts stay in memory; a changed file shows within a second.
    'opcache.enable': 1,
    'opcache.enable_cli': 1,
    'opcache.file_cache': '',
    'opcache.file_cache_only': 0,
    'opcache.memory_consumption': 64,
    'opcache.max_accelerated_files': 4000,
    'opcache.validate_timestamps': 1,
    'opcache.revalidate_freq': 1,
    expose_php: 0,
    display_errors: 0,
    display_startup_errors: 0,
    log_errors: 1,
    html_errors: 0,
    // All but deprecations: WordPress 6.5 is older than PHP 8.5.
    error_reporting: 8191,
    upload_max_filesize: '30M',
    post_max_size: '32M',
  });
  await php.mount(root, createNodeFsMountHandler(site.root));
  for (const name of ['theme', 'plugin'] as const) {
    await php.mount(
      `${documentRoot}/${mountPoints[name]}`,
      createNodeFsMountHandler(sources[name]),
    );
  }
  return php;
}
