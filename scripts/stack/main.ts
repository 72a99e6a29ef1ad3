// `npm start` and `npm run dev`, once the bootstrap has installed and built: starts the
// whole stack, says where it is, and stops it.

import { randomBytes } from 'node:crypto';
import path from 'node:path';
import process from 'node:process';
import { parseCommandLine } from '../command-line.mjs';
import { Progress, screenOn, styled } from '../progress.mjs';
import { givenBacking, localBacking } from './backing.ts';
import { openDataFolder, type DataFolder } from './data-folder.ts';
import { claimPublicPorts } from './public-ports.ts';
import { serverPrograms } from './provision.ts';
import { defaultRestartPolicy } from './restart-policy.ts';
import { keptSecrets } from './secrets.ts';
import { placeUpstreams, planTiers } from './services.ts';
import { readSettings, type Settings } from './settings.ts';
import { reportOn } from './stack-report.ts';
import { summary } from './summary.ts';
import { ServiceFailed } from './supervised-service.ts';
import { Supervisor } from './supervisor.ts';

const root = path.resolve(import.meta.dirname, '..', '..');
const screen = screenOn(process.stdout, process.env);
const progress = new Progress(screen);

/** Resolves when we are asked to end: by a signal, or because the bootstrap has gone. */
const asked = new Promise<string>((resolve) => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    // Stays on, so that a second Ctrl-C does not cut the stopping short.
    process.on(signal, () => resolve(signal));
  process.once('disconnect', () => resolve('the terminal has gone'));
});

async function main(): Promise<number> {
  const commandLine = parseCommandLine(process.argv.slice(2));
  const settings = readSettings(root, commandLine, process.env);
  const folder = openDataFolder(settings.dataFolder);
  try {
    return await runStack(settings, folder);
  } finally {
    folder.release();
  }
}

/** @returns the exit code */
async function runStack(settings: Settings, folder: DataFolder): Promise<number> {
  const began = performance.now();
  const secrets = keptSecrets(folder.path, randomBytes);
  const spoken = new Set(await claimPublicPorts(settings.config, folder.leftBehind));
  const backing = settings.services
    ? await localBacking(
        settings,
        secrets,
        await serverPrograms({ ...settings, logs: folder.logs, progress }),
        spoken,
      )
    : givenBacking(settings);
  const upstreams = await placeUpstreams(settings, spoken);
  const tiers = [backing.services, ...planTiers(settings, secrets, upstreams, backing)];

  const supervisor = new Supervisor(folder.logs, {
    policy: defaultRestartPolicy,
    onEvent: reportOn(progress, screen),
    now: () => performance.now(),
  });
  // Loaded only where it is used: `npm start` is to be quick.
  const development =
    settings.mode === 'development' ? await import('./development.ts') : undefined;
  const logs = development?.followLogs(folder.logs, tiers.flat(), progress, screen);
  let changes: { close: () => void } | undefined;

  const running = async (): Promise<void> => {
    for (const tier of tiers) await supervisor.startTier(tier);
    progress.line(summary(settings, folder, upstreams, performance.now() - began, screen));
    changes = development?.followChanges(root, supervisor, progress, screen);
  };
  try {
    const failure = await Promise.race([
      asked,
      running().then(() => Promise.race([asked, supervisor.givenUp])),
    ]);
    if (failure instanceof ServiceFailed) throw failure;
    progress.line('Stopping …');
    return 0;
  } finally {
    changes?.close();
    await supervisor.stop();
    logs?.close();
  }
}

/** What went wrong, and where to look. */
function explained(error: unknown): string {
  if (!(error instanceof ServiceFailed))
    return error instanceof Error ? error.message : String(error);
  const lines = error.lines.map((line) => `  ${line}`);
  return [`${error.message}. Its last lines:`, ...lines, `All of it: ${error.logFile}`].join('\n');
}

try {
  process.exitCode = await main();
  if (process.exitCode === 0) progress.line('Stopped.');
} catch (error) {
  process.stderr.write(`${styled(screen, 'red', 'Error:')} ${explained(error)}\n`);
  process.exitCode = 1;
}
// The channel to the bootstrap would keep us alive.
if (process.connected) process.disconnect?.();
