// Lock files hold integrity hashes and no registry host, so that they install from
// any registry.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';

const root = path.resolve(import.meta.dirname, '..', '..');
const files = ['pnpm-lock.yaml', 'scripts/toolchain/package-lock.json'];

const found = files.flatMap((file) =>
  readFileSync(path.join(root, file), 'utf8')
    .split('\n')
    .flatMap((line, i) =>
      /(?:tarball|resolved|registry)["']?:\s|https?:\/\/[^\s'"]*\.tgz/.test(line)
        ? [`${file}:${i + 1}: names a registry: ${line.trim()}`]
        : [],
    ),
);
if (found.length > 0) {
  process.stderr.write(`${found.join('\n')}\nRemove the address; the integrity hash stays.\n`);
  process.exitCode = 1;
}
