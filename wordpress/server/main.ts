/**
 * The WordPress process: `node wordpress/server/main.ts`. Its settings come from
 * the environment (see settings.ts); it logs to standard error and ends cleanly
 * on SIGTERM or SIGINT.
 */
import path from 'node:path';
import process from 'node:process';
import { readSettings, SettingsError } from './settings.ts';
import { startWordPress } from './wordpress.ts';

const log = (line: string) => process.stderr.write(`wordpress: ${line}\n`);

async function main(): Promise<number> {
  const settings = readSettings(process.env, path.resolve(import.meta.dirname, '../..'));
  const asked = new Promise<void>((resolve) => {
    process.once('SIGTERM', resolve).once('SIGINT', resolve);
  });
  const site = await startWordPress(settings, { log });
  const reason = await Promise.race([
    asked,
    site.lost,
    site.ready.then(
      () => Promise.race([asked, site.lost]),
      (error: unknown) => (error instanceof Error ? error : new Error(String(error))),
    ),
  ]);
  await site.close();
  if (reason instanceof Error) throw reason;
  return 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  if (error instanceof SettingsError) for (const problem of error.problems) log(problem);
  else log(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
// The WebAssembly runtime keeps handles open that nobody can close.
process.exit();
