// Which ports are free, and who holds one that is not.

import { execFile } from 'node:child_process';
import { readFile, readdir, readlink } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';

/**
 * Whether a server could listen on `port`, on loopback and on all addresses: another
 * program may hold either.
 */
export async function isFree(port: number): Promise<boolean> {
  return (await canListen(port, '127.0.0.1')) && (await canListen(port, '::'));
}

/**
 * `preferred` if it is free, else (or if it is 0) one that the system names.
 *
 * @param spoken ports given away already; the port chosen is added
 */
export async function freePort(preferred: number, spoken: Set<number>): Promise<number> {
  const port =
    preferred !== 0 && !spoken.has(preferred) && (await isFree(preferred))
      ? preferred
      : await anyFreePort(spoken);
  spoken.add(port);
  return port;
}

/**
 * The program that listens on `port`, like `redis-server (process 812)`, as far as it
 * can be told cheaply and without privileges.
 */
export async function holderOf(port: number): Promise<string | undefined> {
  const pid =
    process.platform === 'linux' ? await listenerOnLinux(port) : await listenerByLsof(port);
  if (pid === undefined) return undefined;
  const name = await nameOf(pid);
  return name === undefined ? `process ${pid}` : `${name} (process ${pid})`;
}

async function canListen(port: number, host: string): Promise<boolean> {
  const server = net.createServer();
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE' || error.code === 'EACCES') resolve(false);
      // No IPv6 on this machine: nobody else listens there either.
      else if (error.code === 'EAFNOSUPPORT' || error.code === 'EADDRNOTAVAIL') resolve(true);
      else reject(error);
    });
    server.listen({ port, host }, () => server.close(() => resolve(true)));
  });
}

async function anyFreePort(spoken: ReadonlySet<number>): Promise<number> {
  for (;;) {
    const server = net.createServer();
    const port = await new Promise<number>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ port: 0, host: '127.0.0.1' }, () => {
        const address = server.address();
        server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
      });
    });
    if (port !== 0 && !spoken.has(port)) return port;
  }
}

/** /proc/net/tcp names the socket's inode; the process is the one with that socket open. */
async function listenerOnLinux(port: number): Promise<number | undefined> {
  const listening = '0A';
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const tables = await Promise.all(
    ['/proc/net/tcp', '/proc/net/tcp6'].map((file) => readFile(file, 'utf8').catch(() => '')),
  );
  const rows = tables.flatMap((table) => table.split('\n').map((row) => row.trim().split(/\s+/)));
  const inode = rows.find((row) => row[1]?.endsWith(suffix) && row[3] === listening)?.[9];
  if (inode === undefined) return undefined;
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  for (const pid of pids) {
    const descriptors = await readdir(`/proc/${pid}/fd`).catch(() => []);
    for (const descriptor of descriptors) {
      const target = await readlink(`/proc/${pid}/fd/${descriptor}`).catch(() => '');
      if (target === `socket:[${inode}]`) return Number(pid);
    }
  }
  return undefined;
}

async function listenerByLsof(port: number): Promise<number | undefined> {
  const out = await printed('lsof', ['-nP', `-iTCP:${port}`, '-sTCP:LISTEN', '-t']);
  return Number(out.split('\n')[0]) || undefined;
}

async function nameOf(pid: number): Promise<string | undefined> {
  // Its arguments end in NUL each; some programs put a title there instead.
  const command =
    process.platform === 'linux'
      ? await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
      : await printed('ps', ['-o', 'comm=', '-p', String(pid)]);
  const [program = ''] = command.trim().split('\0');
  return path.basename(program) || undefined;
}

async function printed(program: string, args: readonly string[]): Promise<string> {
  try {
    return (await promisify(execFile)(program, args, { timeout: 2000 })).stdout;
  } catch {
    return '';
  }
}
