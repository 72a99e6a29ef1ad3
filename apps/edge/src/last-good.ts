import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The last snapshot that could be used, kept on disk for a start while the store is away. */
export interface LastGood {
  /** Undefined when none was kept. @throws {Error} when it can't be read */
  read(): string | undefined;
  /** @throws {Error} when it can't be written */
  write(text: string): void;
}

/** @param store what it was published in: a folder may have served with each of them */
export function createLastGood(dataDir: string, store: 'embedded' | 'redis'): LastGood {
  const file = join(dataDir, store === 'redis' ? 'experiments-redis.json' : 'experiments.json');
  return {
    read() {
      try {
        return readFileSync(file, 'utf8');
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
        throw error;
      }
    },
    write(text) {
      // Whole or not at all: a start must never find half of it.
      const draft = `${file}.${process.pid}`;
      writeFileSync(draft, text, { mode: 0o600 });
      renameSync(draft, file);
    },
  };
}
