// A Redis of our own, as ledger and event log want it: every write in the append-only file,
// nothing evicted.

import { mkdirSync } from 'node:fs';
import { redisProbe } from './readiness.ts';
import { nativeServer } from './server-command.ts';
import type { Environment } from './settings.ts';
import type { Service } from './supervised-service.ts';

/**
 * @param program path of redis-server
 * @param folder its data, made where missing
 */
export function redis(program: string, folder: string, port: number, env: Environment): Service {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const options = {
    port: String(port),
    bind: '127.0.0.1',
    dir: folder,
    appendonly: 'yes',
    // A result that was answered with 202 outlives Redis, however that ends.
    appendfsync: 'always',
    'maxmemory-policy': 'noeviction',
    // The append-only file is the one record; snapshots would only add work.
    save: '',
    daemonize: 'no',
  };
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
  return {
    name: 'redis',
    where: `:${port}`,
    command: nativeServer(program, args, { cwd: folder, env }),
    isReady: redisProbe(port),
    readyWithinMs: 30_000,
    stopWithinMs: 10_000,
  };
}
