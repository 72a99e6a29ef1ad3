import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** `api.json` and `edge.json` of the data folder: where the command line finds this machine's processes. */
export interface AddressFile {
  /** Takes it away, unless another process has written its own by now. */
  remove(): void;
}

/** @throws Error when the folder can't be written */
export function writeAddressFile(
  dataFolder: string,
  name: 'api.json' | 'edge.json',
  url: string,
): AddressFile {
  const file = join(dataFolder, name);
  const text = `${JSON.stringify({ url })}\n`;
  writeFileSync(file, text);
  return {
    remove() {
      try {
        if (readFileSync(file, 'utf8') === text) rmSync(file);
      } catch {
        // Gone already, or no longer ours to remove.
      }
    },
  };
}
