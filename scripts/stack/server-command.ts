// How the stack starts its servers, so that none outlives it.

import path from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import type { ServerCommand } from './server-process.ts';

/** To be preloaded (`--import`) into Node programs that must not outlive us. */
export const exitWithParent = pathToFileURL(
  path.join(import.meta.dirname, 'exit-with-parent.mjs'),
).href;
const guard = path.join(import.meta.dirname, 'guard.mjs');

interface Options {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

/**
 * A Node server, run by the Node that runs us.
 *
 * @param args the script (relative to `cwd`) and its arguments
 */
export function nodeServer(args: readonly string[], { cwd, env }: Options): ServerCommand {
  return { program: process.execPath, args: ['--import', exitWithParent, ...args], cwd, env };
}

/** A server that is no Node program and knows nothing of our channel. */
export function nativeServer(
  program: string,
  args: readonly string[],
  { cwd, env }: Options,
): ServerCommand {
  return { program: process.execPath, args: [guard, program, ...args], cwd, env };
}
