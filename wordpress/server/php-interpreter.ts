import { spawn, execFile, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import net from 'node:net';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import {
  bodyLimit,
  isAnswerHeader,
  phpRequestHeaders,
  readBody,
  type PhpBackend,
} from './php-backend.ts';
import type { SiteFolder } from './site-folder.ts';

/** Processes that run PHP at the same time. */
const workers = 4;

/**
 * Runs PHP, and ends it when we are gone, however we went: the shell's child
 * waits on a pipe that only we hold open, whose end makes it end the process
 * group. (The built-in server's workers outlive their master otherwise.) The
 * shell gives a background job /dev/null as its input, hence descriptor 3.
 */
const guard = 'exec 3<&0; (read -r _ <&3; kill -TERM 0) & exec 3<&-; exec "$@" </dev/null';

/** Settings of PHP for both the server and the install script. */
const phpOptions = [
  'display_errors=0',
  'log_errors=1',
  'html_errors=0',
  'error_log=', // Standard error.
  'error_reporting=8191', // All but deprecations: WordPress 6.5 is older than PHP 8.2.
  'expose_php=0',
  'memory_limit=256M',
  'max_execution_time=30', // Seconds.
  'upload_max_filesize=30M',
  'post_max_size=32M',
  'opcache.enable=1',
  'opcache.enable_cli=1',
  'opcache.validate_timestamps=1',
  'opcache.revalidate_freq=1', // A changed file shows within a second.
].flatMap((setting) => ['-d', setting]);

export interface PhpInterpreterOptions {
  /** Path of the `php` binary. */
  readonly binary: string;
  readonly site: SiteFolder;
  /** Environment of the PHP scripts. */
  readonly env: Readonly<Record<string, string>>;
  /** Receives each line that PHP writes to its error log. */
  readonly log: (line: string) => void;
}

/**
 * Runs a script of the site's folder (`/install.php`) with the interpreter.
 *
 * @returns What it printed.
 * @throws With what it wrote to its error log, when it ends with another code than 0.
 */
export async function runScript(
  options: PhpInterpreterOptions,
  script: string,
  env: Readonly<Record<string, string>>,
): Promise<string> {
  const { stdout, stderr } = await promisify(execFile)(
    options.binary,
    [...phpOptions, options.site.root + script],
    { cwd: options.site.root, env: { ...process.env, ...options.env, ...env } },
  );
  for (const line of stderr.split('\n')) if (line.trim()) options.log(line);
  return stdout;
}

/**
 * PHP by an interpreter of this machine: its built-in server with several
 * workers on a port of its own, which requests are passed on to.
 */
export class PhpInterpreter implements PhpBackend {
  readonly description: string;
  readonly lost: Promise<Error>;
  readonly #child: ChildProcess;
  readonly #port: number;
  #closing = false;

  private constructor(options: PhpInterpreterOptions, child: ChildProcess, port: number) {
    this.description = `${options.binary} with ${workers} workers`;
    this.#child = child;
    this.#port = port;
    this.lost = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        this.#endGroup();
        if (!this.#closing) {
          resolve(new Error(`${options.binary} ended by itself (${signal ?? `code ${code}`}).`));
        }
      });
    });
  }

  /**
   * @throws When the interpreter does not start or does not answer.
   */
  static async start(options: PhpInterpreterOptions): Promise<PhpInterpreter> {
    const port = await freePort();
    const child = spawn(
      '/bin/sh',
      [
        '-c',
        guard,
        'sh',
        options.binary,
        ...phpOptions,
        '-S',
        `127.0.0.1:${port}`,
        '-t',
        options.site.documentRoot,
        path.join(options.site.root, 'router.php'),
      ],
      {
        cwd: options.site.root,
        detached: true, // A process group of its own.
        stdio: ['pipe', 'ignore', 'pipe'],
        env: { ...process.env, ...options.env, PHP_CLI_SERVER_WORKERS: String(workers) },
      },
    );
    if (child.stderr) {
      createInterface(child.stderr).on('line', (line) => {
        // The built-in server writes its access log here as well.
        if (
          !/\] (?:\S+ (?:Accepted|Closing|Closed without sending a request.*)$|\S+ \[\d{3}\]: |PHP .* Server .* started)/.test(
            line,
          )
        ) {
          options.log(line);
        }
      });
    }
    const interpreter = new PhpInterpreter(options, child, port);
    try {
      await Promise.race([
        interpreter.#answers(),
        interpreter.lost.then((error) => Promise.reject(error)),
      ]);
    } catch (error) {
      await interpreter.close();
      throw error;
    }
    return interpreter;
  }

  async handle(request: IncomingMessage, response: ServerResponse, script: string): Promise<void> {
    const { host = '127.0.0.1', ...headers } = phpRequestHeaders(request.headersDistinct);
    // Read whole: the built-in server would keep it in memory without a limit.
    const body = await readBody(request, bodyLimit);
    const upstream = http.request({
      host: '127.0.0.1',
      port: this.#port,
      method: request.method,
      path: request.url,
      agent: false, // The built-in server closes after each answer anyway.
      headers: {
        ...headers,
        host,
        'x-turnout-script': script,
        ...(body.length > 0 ? { 'content-length': body.length } : {}),
      },
    });
    // A visitor who has left frees the worker.
    response.once('close', () => upstream.destroy());
    upstream.end(body);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- What `response` is emitted with.
    const [answer] = (await once(upstream, 'response')) as [IncomingMessage];
    response.statusCode = answer.statusCode ?? 502;
    for (const [name, values] of Object.entries(answer.headersDistinct)) {
      if (values && isAnswerHeader(name)) response.setHeader(name, values);
    }
    if (answer.headers['content-length']) {
      response.setHeader('Content-Length', answer.headers['content-length']);
    }
    await pipeline(answer, response);
  }

  async close(): Promise<void> {
    this.#closing = true;
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.stdin?.end(); // The guard sees it and ends the group.
    this.#endGroup();
    await ended;
  }

  /** Ends what is left of the process group. */
  #endGroup(): void {
    if (this.#child.pid === undefined) return;
    try {
      process.kill(-this.#child.pid, 'SIGTERM');
    } catch {
      // Nothing is left.
    }
  }

  /** Waits until the server accepts connections. */
  async #answers(): Promise<void> {
    const deadline = Date.now() + 5000;
    for (;;) {
      const socket = net.connect(this.#port, '127.0.0.1');
      try {
        await once(socket, 'connect');
        return;
      } catch (error) {
        if (Date.now() > deadline) throw error;
        await new Promise((resolve) => setTimeout(resolve, 20));
      } finally {
        socket.destroy();
      }
    }
  }
}

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  if (address === null || typeof address === 'string') throw new Error('Expected a TCP address.');
  return address.port;
}
