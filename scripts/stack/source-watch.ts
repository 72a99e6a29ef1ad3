// Tells of changed source files, in batches.

import { watch } from 'node:fs';
import path from 'node:path';

/** Editors write a file in several steps, and tools many files: wait for this much quiet (ms). */
const quietMs = 80;

/**
 * @param sources files and folders, relative to `root`; folders whole
 * @param onChange gets the changed files relative to `root`; not called again until it is done
 */
export function watchSources(
  root: string,
  sources: readonly string[],
  onChange: (files: readonly string[]) => Promise<void>,
): { close: () => void } {
  const changed = new Set<string>();
  let timer: NodeJS.Timeout | undefined;
  let busy = false;

  const flush = async (): Promise<void> => {
    if (busy || changed.size === 0) return;
    busy = true;
    const files = [...changed].toSorted();
    changed.clear();
    try {
      await onChange(files);
    } finally {
      busy = false;
      void flush();
    }
  };
  const watchers = [...new Set(sources)].map((source) => {
    const isFile = path.extname(source) !== '';
    // A file's folder is watched, since saving may put a new file in its place.
    const folder = isFile ? path.dirname(source) : source;
    return watch(path.join(root, folder), { recursive: !isFile }, (_, name) => {
      if (name === null) return;
      const file = path.join(folder, name);
      if (isFile ? file !== source : isNoSource(file)) return;
      changed.add(file);
      clearTimeout(timer);
      timer = setTimeout(() => void flush(), quietMs);
    });
  });
  return {
    close() {
      clearTimeout(timer);
      changed.clear();
      for (const watcher of watchers) watcher.close();
    },
  };
}

/** Tests, and the temporary files of editors. */
function isNoSource(file: string): boolean {
  return /\.test\.ts$|(?:^|\/)\.|~$|\.sw.$|\/\d+$/.test(file);
}
