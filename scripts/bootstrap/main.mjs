// From a bare machine to the running program, in four steps: the pinned pnpm, the
// packages (the pinned Node among them), the build, the hand-over.

import { mkdirSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { CommandLineError, flagTakenByNpm, helpText, parseCommandLine } from '../command-line.mjs';
import { Progress, screenOn, styled } from '../progress.mjs';
import { build } from './build.mjs';
import { CommandFailed } from './logged-command.mjs';
import { handOver } from './hand-over.mjs';
import {
  dropUnusableNode,
  installPackages,
  packagesAreInstalled,
  runningNode,
} from './packages.mjs';
import { nodeFor, thisMachine } from './platform.mjs';
import { installLibatomic, lacksLibatomic } from './system-libraries.mjs';
import { fetchToolchain, findToolchain } from './toolchain.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..');

/** The program that each command ends in. */
const programs = {
  start: 'scripts/stack/main.ts',
  dev: 'scripts/stack/main.ts',
  test: 'scripts/test/main.ts',
  check: 'scripts/test/main.ts',
};

/**
 * @param {string[]} argv the command and its arguments
 */
export async function main(argv) {
  const screen = screenOn(process.stdout, process.env);
  const progress = new Progress(screen);
  try {
    const commandLine = parseCommandLine(argv);
    if (commandLine.help) {
      process.stdout.write(helpText(commandLine.command));
      return;
    }
    const misplaced = flagTakenByNpm(commandLine.command, process.env);
    if (misplaced !== undefined) throw new CommandLineError(misplaced);

    const found = nodeFor(thisMachine());
    if ('problem' in found) throw new Error(found.problem);
    const logFolder = path.join(root, '.turnout', 'logs');
    makeFolders(logFolder);

    const { toolchain, isThere } = findToolchain(root);
    if (!isThere)
      await step(progress, `pnpm ${toolchain.version}`, 'fetching pnpm from npm', () =>
        fetchToolchain(root, toolchain, logFolder),
      );
    const isInstalled = packagesAreInstalled(root);
    if (!isInstalled && found.node === 'pinned' && lacksLibatomic())
      await step(progress, 'libatomic', 'installing the system library libatomic1', () =>
        installLibatomic(root, logFolder),
      );
    if (!isInstalled)
      await step(
        progress,
        'packages',
        'installing the packages (a minute the first time)',
        async () => {
          await installPackages(root, toolchain, logFolder);
          dropUnusableNode(root, found.node);
          return 'packages installed';
        },
      );

    const node = runningNode(root);
    const env = environment(process.env, toolchain.bin, node);
    if (commandLine.command === 'start')
      await step(progress, 'build', 'building what changed', () =>
        build(root, node, env, logFolder),
      );
    // In development the frontends build themselves, but not the script that all pages load.
    if (commandLine.command === 'dev')
      await step(progress, 'build', 'building what changed', () =>
        build(root, node, env, logFolder, ['@turnout/client']),
      );

    await handOver(node, path.join(root, programs[commandLine.command]), argv, root, env);
  } catch (error) {
    process.stderr.write(`${styled(screen, 'red', 'Error:')} ${explained(error)}\n`);
    // The tests' last line is always their sum, also if they could not even begin.
    if (isTestRun(argv)) process.stdout.write('\n0 passed, 1 failed\n');
    process.exitCode = error instanceof CommandLineError ? 2 : 1;
  }
}

/**
 * @param {Progress} progress
 * @param {string} name
 * @param {string} doing
 * @param {() => Promise<string | void>} work whose answer, if any, is the line shown
 */
async function step(progress, name, doing, work) {
  const began = performance.now();
  progress.begin(name, doing);
  try {
    const outcome = await work();
    progress.done(name, performance.now() - began, outcome ?? name);
  } catch (error) {
    progress.failed(name, name);
    throw error;
  }
}

/** @param {string[]} argv */
function isTestRun([command]) {
  return command === 'test' || command === 'check';
}

/** @param {string} logFolder */
function makeFolders(logFolder) {
  try {
    mkdirSync(logFolder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new Error(
      `Cannot write to ${path.join(root, '.turnout')}: ${String(error)}. Turnout keeps its tools and logs there; make the folder writable.`,
      { cause: error },
    );
  }
}

/**
 * @param {NodeJS.ProcessEnv} from
 * @param {string} bin
 * @param {string} node
 * @returns {NodeJS.ProcessEnv}
 */
function environment(from, bin, node) {
  // npm's own variables describe the `npm start` around us, not what runs inside.
  const kept = Object.entries(from).filter(
    ([name]) => !/^npm_(?:lifecycle_|package_|command$|execpath$|node_execpath$)/.test(name),
  );
  return {
    ...Object.fromEntries(kept),
    PATH: [bin, path.dirname(node), path.join(root, 'node_modules', '.bin'), from.PATH ?? ''].join(
      path.delimiter,
    ),
    TURBO_TELEMETRY_DISABLED: '1',
    NEXT_TELEMETRY_DISABLED: '1',
    DO_NOT_TRACK: '1',
  };
}

/**
 * @param {unknown} error
 * @returns {string}
 */
function explained(error) {
  if (!(error instanceof CommandFailed))
    return error instanceof Error ? error.message : String(error);
  const network =
    /\b(?:ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|dns error|error sending request)\b/i;
  const cause = error.output.split('\n').find((line) => network.test(line));
  const lines =
    cause === undefined
      ? error.lastLines(25)
      : [
          cause.trim(),
          'The npm registry could not be reached. This step needs it once: check the network, or the proxy settings of npm, and run the same command again.',
        ];
  return [error.message, ...lines.map((line) => `  ${line}`), `All of it: ${error.logFile}`].join(
    '\n',
  );
}
