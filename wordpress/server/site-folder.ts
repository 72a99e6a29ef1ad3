import { randomUUID } from 'node:crypto';
import {
  copyFileSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { unzipSync } from 'fflate';

const require = createRequire(import.meta.url);

/** Version of WordPress in the package that we unpack; names the folder. */
const wordpressVersion = '6.5';

/** Our own files: the site's configuration, theme and plugin. */
export const sources = {
  site: path.join(import.meta.dirname, '../site'),
  theme: path.join(import.meta.dirname, '../theme'),
  plugin: path.join(import.meta.dirname, '../plugin'),
} as const;

/** Where theme and plugin appear in the document root. */
export const mountPoints = {
  theme: 'wp-content/themes/tern-mobile',
  plugin: 'wp-content/plugins/turnout',
} as const;

/** A site on disk. Everything but `documentRoot` lies outside what can be asked for. */
export interface SiteFolder {
  /** Holds all of it: document root, database, SQLite integration, router. */
  readonly root: string;
  readonly documentRoot: string;
}

/**
 * Makes the folder of a site, or brings an older one up to date: unpacks
 * WordPress where it is missing, copies our configuration in. A WordPress that
 * is there already is not touched, and one that was cut short while unpacking
 * is never taken for whole.
 *
 * @param root Folder of this site; one per way of running PHP and database.
 * @param options.sqlite Whether the site keeps its data in SQLite.
 * @param options.link Whether to link theme and plugin into the document root
 *   (for a PHP that sees the machine's files), or only make room for a mount.
 */
export function prepareSiteFolder(
  root: string,
  options: { readonly sqlite: boolean; readonly link: boolean },
): SiteFolder {
  const documentRoot = path.join(root, 'site');
  mkdirSync(path.join(root, 'database'), { recursive: true, mode: 0o700 });
  const packageFolder = path.dirname(
    require.resolve('@wp-playground/wordpress-builds/package.json'),
  );
  intoPlace(documentRoot, (folder) => unpackWordPress(packageFolder, folder));
  if (options.sqlite) {
    intoPlace(path.join(root, 'sqlite-database-integration'), (folder) =>
      unpackZip(
        path.join(packageFolder, 'src/sqlite-database-integration/sqlite-database-integration.zip'),
        folder,
        (name) => name.replace(/^[^/]+\//, ''),
      ),
    );
    copyFileSync(path.join(sources.site, 'db.php'), path.join(documentRoot, 'wp-content/db.php'));
  }
  copyFileSync(path.join(sources.site, 'wp-config.php'), path.join(documentRoot, 'wp-config.php'));
  copyFileSync(path.join(sources.site, 'install.php'), path.join(root, 'install.php'));
  copyFileSync(path.join(sources.site, 'router.php'), path.join(root, 'router.php'));
  cpSync(path.join(sources.site, 'mu-plugins'), path.join(documentRoot, 'wp-content/mu-plugins'), {
    recursive: true,
  });
  for (const name of ['theme', 'plugin'] as const) {
    const place = path.join(documentRoot, mountPoints[name]);
    if (options.link) linkFolder(sources[name], place);
    else mkdirSync(place, { recursive: true });
  }
  return { root, documentRoot };
}

/** Fills a new folder under another name, then moves it into place whole. */
function intoPlace(folder: string, fill: (folder: string) => void): void {
  if (existsSync(folder)) return;
  const partial = `${folder}.${randomUUID()}.partial`;
  try {
    mkdirSync(partial, { recursive: true });
    fill(partial);
    renameSync(partial, folder);
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
}

/**
 * Puts WordPress together: the package ships its PHP as a zip and its scripts,
 * styles and images as files. Left out are the themes and the installed site
 * that come along.
 */
function unpackWordPress(packageFolder: string, folder: string): void {
  unpackZip(path.join(packageFolder, `src/wordpress/wp-${wordpressVersion}.zip`), folder, (name) =>
    /^(?:wp-content\/|wp-config|readme\.html|wordpress-remote)/.test(name) ? undefined : name,
  );
  for (const part of ['wp-admin', 'wp-includes']) {
    cpSync(
      path.join(packageFolder, `public/wp-${wordpressVersion}`, part),
      path.join(folder, part),
      { recursive: true },
    );
  }
  for (const part of ['plugins', 'themes', 'uploads']) {
    mkdirSync(path.join(folder, 'wp-content', part), { recursive: true });
  }
}

/** Unpacks a zip; `place` gives each file's path in the folder, or undefined to leave it out. */
function unpackZip(zip: string, folder: string, place: (name: string) => string | undefined): void {
  for (const [name, bytes] of Object.entries(unzipSync(readFileSync(zip)))) {
    const target = name.endsWith('/') ? undefined : place(name);
    if (!target) continue;
    const file = path.join(folder, target);
    if (!file.startsWith(folder + path.sep)) {
      throw new Error(`Expected ${zip} to unpack into its folder only, got the path ${name}.`);
    }
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, bytes);
  }
}

/** Links a folder, replacing a link that points elsewhere. */
function linkFolder(target: string, place: string): void {
  mkdirSync(path.dirname(place), { recursive: true });
  if (lstatSync(place, { throwIfNoEntry: false })?.isSymbolicLink()) rmSync(place);
  symlinkSync(target, place, 'dir');
}
