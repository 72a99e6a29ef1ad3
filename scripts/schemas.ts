// Writes the JSON Schemas that editors check and complete our files by: `pnpm schemas`.

import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { schemaFiles } from './schemas/files.ts';

const folder = path.resolve(import.meta.dirname, '..', 'docs', 'schema');
mkdirSync(folder, { recursive: true });
for (const [name, text] of schemaFiles()) writeFileSync(path.join(folder, name), text);
