import { execFileSync } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { buildClient } from '../../packages/client/build.ts';

const ROOT = resolve(import.meta.dirname, '..', '..');
/** What a build, an installation or a run makes. */
const MADE = new Set(['node_modules', '.next', 'dist', '.turnout', '.git', '.turbo']);
/** Where packages of the workspace have their modules. */
const MODULES = ['node_modules', '{apps,packages}/*/node_modules', 'wordpress/node_modules'];

/** A copy of the repository whose sources a test may change. */
export interface Checkout {
  readonly root: string;
  /**
   * Replaces the one place in `file` where `before` stands, as an editor does.
   *
   * @throws {Error} if there is none, or more
   */
  edit(file: string, before: string, after: string): Promise<void>;
  remove(): Promise<void>;
}

/**
 * The sources copied, the installed packages as hard links where the file system has them, and
 * built what the bootstrap builds before development begins.
 */
export async function copyCheckout(): Promise<Checkout> {
  const root = await mkdtemp(join(tmpdir(), 'turnout-checkout-'));
  await cp(ROOT, root, { recursive: true, filter: (source) => !MADE.has(basename(source)) });
  for (const modules of globSync(MODULES, { cwd: ROOT })) copyTree(modules, root);
  await buildClient(join(root, 'packages', 'client', 'dist'));
  return {
    root,
    async edit(file, before, after) {
      const path = join(root, file);
      const source = await readFile(path, 'utf8');
      const places = source.split(before).length - 1;
      if (places !== 1) throw new Error(`Expected "${before}" once in ${file}, got it ${places}×`);
      await writeFile(
        path,
        source.replace(before, () => after),
      );
    },
    remove: () => rm(root, { recursive: true, force: true }),
  };
}

/** @param folder relative to the repository */
function copyTree(folder: string, root: string): void {
  const target = join(root, folder);
  try {
    execFileSync('cp', ['-RPl', join(ROOT, folder), target], { stdio: 'ignore' });
  } catch {
    // Another file system, or a `cp` without links.
    if (existsSync(target)) execFileSync('rm', ['-rf', target]);
    execFileSync('cp', ['-RP', join(ROOT, folder), target]);
  }
}
