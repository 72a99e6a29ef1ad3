// In development the servers' logs are on the screen too: each line with its server's
// name, pino's JSON made readable. Read from the log files, so that the servers write
// to one place and do not depend on us.

import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { prettyFactory } from 'pino-pretty';
import { styled, type Progress, type Screen } from '../progress.mjs';
import { logPath } from './log-files.ts';

const readEveryMs = 100;
const readAtMostBytes = 256 * 1024;
const colours = ['cyan', 'green', 'yellow', 'bold'] as const;

/** Shows what `services` log from now on, until closed. */
export function followLogs(
  folder: string,
  services: readonly { name: string }[],
  progress: Progress,
  screen: Screen,
): { close: () => void } {
  const width = Math.max(...services.map(({ name }) => name.length));
  const readable = readableBy(screen);
  const logs = services.map(({ name }, i) => {
    const prefix = styled(screen, colours[i % colours.length] ?? 'bold', name.padEnd(width));
    return new FollowedLog(logPath(folder, name), (line) =>
      progress.line(`${prefix} ${readable(line)}`),
    );
  });
  const read = (): void => {
    for (const log of logs) log.read();
  };
  const timer = setInterval(read, readEveryMs);
  return {
    close() {
      clearInterval(timer);
      read();
    },
  };
}

/** A request as one glance takes it in: the log file has the rest. */
function asRequest(line: string): string | undefined {
  if (!line.endsWith('"msg":"request"}')) return undefined;
  const { method, path, status, upstream, ms }: Record<string, unknown> = JSON.parse(line);
  if (typeof method !== 'string' || typeof path !== 'string' || typeof ms !== 'number')
    return undefined;
  const time = ms < 10 ? ms.toFixed(1) : ms.toFixed(0);
  return `${method} ${path} ${String(status)} ${typeof upstream === 'string' ? `${upstream} ` : ''}${time} ms`;
}

/** Requests in short, pino's lines as `12:30:01 INFO message {…}`, others as they are. */
export function readableBy(screen: Screen): (line: string) => string {
  const pretty = prettyFactory({
    colorize: screen.colour,
    singleLine: true,
    translateTime: 'SYS:HH:MM:ss',
    ignore: 'pid,hostname,process,name',
  });
  return (line) => {
    if (!line.startsWith('{"level":')) return line;
    return asRequest(line) ?? pretty(line).trimEnd();
  };
}

class FollowedLog {
  #offset: number;
  #rest = '';
  readonly #file: string;
  readonly #show: (line: string) => void;

  constructor(file: string, show: (line: string) => void) {
    this.#file = file;
    this.#show = show;
    this.#offset = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  }

  read(): void {
    const size = statSync(this.#file, { throwIfNoEntry: false })?.size ?? 0;
    // Shorter than before: it has been rotated.
    if (size < this.#offset) this.#offset = 0;
    if (size === this.#offset) return;
    const buffer = Buffer.alloc(Math.min(size - this.#offset, readAtMostBytes));
    const descriptor = openSync(this.#file, 'r');
    const read = readSync(descriptor, buffer, 0, buffer.length, this.#offset);
    closeSync(descriptor);
    this.#offset += read;
    const lines = (this.#rest + buffer.toString('utf8', 0, read)).split(/\r?\n/);
    this.#rest = lines.pop() ?? '';
    for (const line of lines) if (line.trim() !== '') this.#show(line);
  }
}
