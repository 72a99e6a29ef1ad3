import { join } from 'node:path';
import { build } from 'rolldown';

/**
 * Builds the browser's side: `client.js`, the script that the edge serves, and `index.js`, what
 * a frontend imports.
 *
 * @param folder where to
 */
export async function buildClient(folder: string): Promise<void> {
  const source = join(import.meta.dirname, 'src');
  await build([
    {
      input: join(source, 'script.ts'),
      output: { file: join(folder, 'client.js'), format: 'iife', minify: true, comments: false },
    },
    {
      input: join(source, 'index.ts'),
      output: { file: join(folder, 'index.js'), format: 'esm' },
    },
  ]);
}

if (import.meta.main) await buildClient(join(import.meta.dirname, 'dist'));
