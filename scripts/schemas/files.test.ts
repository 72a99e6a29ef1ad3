import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { schemaFiles } from './files.ts';

test.each([...schemaFiles()])(
  'docs/schema/%s is what the code says: pnpm schemas',
  (name, text) => {
    const committed = readFileSync(new URL(`../../docs/schema/${name}`, import.meta.url), 'utf8');
    expect(JSON.parse(committed)).toEqual(JSON.parse(text));
  },
);
