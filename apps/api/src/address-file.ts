import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** `api.json` of the data folder: where the command line finds the API of this machine. */
export interface AddressFile {
  /** Takes it away, unless another API has written its own by now. */
  remove(): void;
}

/** @throws Error when the folder can't be written */
export function writeAddressFile(dataFolder: string, url: string): AddressFile {
  const file = join(dataFolder, 'api.json');
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
