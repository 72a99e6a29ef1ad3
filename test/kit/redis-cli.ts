import { execFileSync } from 'node:child_process';
import type { RedisServer } from './redis-server.ts';

const CLIENT = 'redis-cli';

/** Runs one command on a server, as an operator would. Returns what it answers. */
export function redisCli({ host, port }: RedisServer, ...command: string[]): string {
  return execFileSync(CLIENT, ['-h', host, '-p', String(port), ...command], {
    encoding: 'utf8',
  }).trim();
}
