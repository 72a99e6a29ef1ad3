// Stamps: a hash of the files that a step was done for, kept where its result is,
// so that the step is skipped while they stay the same.

import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';

/**
 * @param {readonly string[]} files absolute paths; a missing one counts as empty
 * @param {string} [also] what else the step depends on
 */
export function contentHash(files, also = '') {
  const hash = createHash('sha256').update(also);
  for (const file of files)
    hash.update(`\0${file}\0`).update(existsSync(file) ? readFileSync(file) : '');
  return hash.digest('hex');
}

/**
 * @param {string} file
 * @returns {string | undefined}
 */
export function readStamp(file) {
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}
