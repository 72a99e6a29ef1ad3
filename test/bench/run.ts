import { constants } from 'node:fs';
import { access, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { HELP, parseArguments, UsageError, type Settings } from './arguments.ts';
import { checkPage, checkProxy } from './check.ts';
import {
  demoExperiment,
  REFERENCE,
  startContender,
  startLoad,
  startOrigin,
  type Contender,
} from './contenders.ts';
import { summarise } from './figures.ts';
import { describeMachine } from './machine.ts';
import { heading, scenarioTable, UNITS, type Report, type ScenarioReport } from './report.ts';
import { playRounds, type Entrant } from './rounds.ts';
import { seededRandom } from './shuffle.ts';

// How fast is the edge, and what does it cost? `pnpm bench` (options: --help).
//
// 1. Start an origin that serves a 10 KB page, the contenders in front of it (the edge as
//    its users run it; the same job on http-proxy-3), the page's own server without any
//    proxy, and a load generator. Each is a process of its own, on the loopback.
// 2. Check that every contender does the whole job: what is wrong is not measured.
// 3. For each scenario: warm up, then rounds. Each round measures every contender, in a
//    new order.
// 4. Print medians over the rounds, and ratios to http-proxy-3 in the same round.
//
// All of it shares one machine, so requests/s say how the contenders compare there, and
// CPU time per request is the figure to trust. A request that fails fails the run.

/** Visitors that come back, of each contender. */
const VISITORS = 1_024;
/** The order of contenders is the same in each run, so that runs can be compared. */
const SEED = 1;
/** Exit codes: of a process ended by Ctrl-C, and of a command line that can't be run. */
const INTERRUPTED = 130;
const MISUSED = 2;

async function bench(settings: Settings, signal: AbortSignal): Promise<void> {
  if (settings.json !== undefined) await checkFolder(settings.json);
  const machine = describeMachine(new Date());
  process.stdout.write(`${heading(machine, settings)}\n`);
  // Ends in the opposite order: the load first, the folder last.
  await using started = new AsyncDisposableStack();
  const folder = started.adopt(await mkdtemp(join(tmpdir(), 'turnout-bench-')), (name) =>
    rm(name, { recursive: true, force: true }),
  );
  const origin = await startOrigin(signal, started);
  const contenders: Contender[] = [];
  for (const name of settings.contenders) {
    contenders.push(await startContender(name, { origin: origin.url, folder, signal }, started));
  }
  const load = startLoad(signal, started);

  const returning: Entrant[] = [];
  for (const contender of contenders) {
    returning.push({ contender, cookies: await checkedVisitors(contender, signal) });
    tell(`checked ${contender.name}`);
  }

  const scenarios: ScenarioReport[] = [];
  for (const scenario of settings.scenarios) {
    const series = await playRounds({
      load,
      entrants:
        scenario === 'returning'
          ? returning
          : contenders.map((contender) => ({ contender, cookies: [] })),
      rounds: settings.rounds,
      duration: settings.duration,
      connections: settings.connections,
      random: seededRandom(SEED),
      onRound: (round) => tell(`${scenario}: round ${round} of ${settings.rounds}`),
    });
    const report = { scenario, contenders: summarise(series, REFERENCE) };
    process.stdout.write(`\n${scenarioTable(report, REFERENCE)}\n`);
    scenarios.push(report);
  }

  if (settings.json === undefined) return;
  const { json, ...measured } = settings;
  const report: Report = {
    machine,
    settings: measured,
    units: UNITS,
    reference: REFERENCE,
    scenarios,
  };
  await writeFile(json, `${JSON.stringify(report, undefined, 2)}\n`);
}

/** Finds out before the measuring, not after it. */
async function checkFolder(json: string): Promise<void> {
  await access(dirname(json), constants.W_OK).catch((error: unknown) => {
    throw new UsageError(`Expected --json to name a file in a writable folder, got "${json}"`, {
      cause: error,
    });
  });
}

/** Cookies of visitors that a contender made while it was checked. */
async function checkedVisitors(
  { url, isProxy }: Contender,
  signal: AbortSignal,
): Promise<readonly string[]> {
  if (isProxy) {
    return checkProxy({ url, experiment: demoExperiment(), visitors: VISITORS, signal });
  }
  await checkPage(url, signal);
  return Array.from({ length: VISITORS }, (_, index) => `visitor=${index}`);
}

function tell(progress: string): void {
  process.stderr.write(`${progress}\n`);
}

async function main(): Promise<void> {
  const settings = parseArguments(process.argv.slice(2));
  if (settings === 'help') {
    process.stdout.write(HELP);
    return;
  }
  const interruption = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => interruption.abort());
  }
  try {
    await bench(settings, interruption.signal);
  } catch (error) {
    if (!interruption.signal.aborted) throw error;
    tell('interrupted; everything started is ended');
    process.exitCode = INTERRUPTED;
  }
}

try {
  await main();
} catch (error) {
  const misused = error instanceof UsageError;
  tell(error instanceof Error ? error.message : String(error));
  if (misused) tell('pnpm bench --help lists the options.');
  process.exitCode = misused ? MISUSED : 1;
}
