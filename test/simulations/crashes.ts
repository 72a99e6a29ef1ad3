// What docs/events.md promises of a 202, at full size: `pnpm simulate:crashes [VISITORS] [SEED]`,
// a minute or two. 20,000 visitors come by HTTP to an edge with two workers, while a worker, the
// API, Redis (`appendfsync always`) and MariaDB are killed at random moments, again and again.
// Ends with 1 when SQL is not, visitor by visitor, what they were served and answered.

import { isDeepStrictEqual } from 'node:util';
import { seededRandom } from '../bench/shuffle.ts';
import { runCrashTrial } from '../kit/crash-trial.ts';
import { hasReported } from '../kit/shoppers.ts';

const visitors = Number(process.argv[2] ?? 20_000);
const seed = Number(process.argv[3] ?? Date.now() % 2 ** 31);
if (!Number.isSafeInteger(visitors) || visitors < 1 || !Number.isSafeInteger(seed)) {
  process.stderr.write('usage: node test/simulations/crashes.ts [visitors] [seed]\n');
  process.exit(2);
}

print(`${visitors} visitors, seed ${seed}`);
const { took, retries, brokenFirstPages, before, after, expected, ...counted } =
  await runCrashTrial({
    visitors,
    crashes: { worker: 12, api: 4, redis: 4, mariadb: 4 },
    random: seededRandom(seed),
    onCrash: (victim, done) => print(`  ${victim} killed when ${done} were done`),
  });
print(`\nAll came in ${(took / 1_000).toFixed(1)} s; ${retries} requests were made again`);

const lost = before.lostVisitors;
print('\nOf those who were answered 202');
claim('results that are in no row', before.lostResults.length);
claim('rows that nobody sent', before.wrongResults.length);
claim('visitors who are not counted', lost.filter(hasReported).length);
claim('visitors who are counted as another', before.wrongVisitors.filter(hasReported).length);
const untold = lost.filter((shopper) => !hasReported(shopper)).length;
print(`\n  ${untold} who never reported died with a worker; then each opened one more page`);

print('\nOf all');
claim('visitors who are not counted', after.lostVisitors.length);
claim('visitors who are counted as another', after.wrongVisitors.length);
const { length: strangers } = after.strangers;
claim(
  `visitors whom nobody knows beyond the ${brokenFirstPages} pages that broke off`,
  Math.max(0, strangers - brokenFirstPages),
);
for (const [where, counts] of Object.entries(counted)) {
  claim(`differences in ${where}`, isDeepStrictEqual(counts, expected) ? 0 : 1);
}
for (const [variant, counts] of expected) print(`  ${variant}: ${JSON.stringify(counts)}`);

function claim(what: string, count: number): void {
  print(`  ${count === 0 ? '✓' : '✗'} ${what}: ${count}`);
  if (count > 0) process.exitCode = 1;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
