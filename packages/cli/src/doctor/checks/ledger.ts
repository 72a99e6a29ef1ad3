import type { RedisServerReport } from '@turnout/router-core/redis';
import { inspectFolder, type FolderReport } from '../data-folder.ts';
import { error, ok, warning, type Finding } from '../finding.ts';
import type { Survey } from '../survey.ts';

const MEBIBYTE = 2 ** 20;
/** Bytes that the ledger's file takes for some hundred thousand visitors, and the logs beside it. */
const ROOM = 512 * MEBIBYTE;
/** The share of its memory at which a Redis should get more. */
const NEARLY_FULL = 0.8;
/** The oldest major version whose commands the ledger uses. */
const OLDEST_REDIS = 6;

/** Whether what remembers assignments is there, and will not forget them. */
export async function checkLedger(survey: Survey): Promise<Finding[]> {
  const { redis } = survey.config;
  if (redis !== undefined) return checkRedis(redis, survey.timeout);
  // A plain reverse proxy remembers nothing.
  return survey.experiments.length === 0 ? [] : folderFindings(await inspectFolder(survey.dataDir));
}

async function checkRedis(url: string, timeout: number): Promise<Finding[]> {
  const { inspectRedis } = await import('@turnout/router-core/redis');
  try {
    return (await inspectRedis(url, timeout)).flatMap(redisFindings);
  } catch (problem) {
    return [
      error({
        where: 'redis',
        expected: 'a Redis that answers',
        got: problem instanceof Error ? problem.message : String(problem),
        fix: 'Start it, or correct redis in the configuration (or TURNOUT_REDIS_URL), password included',
      }),
    ];
  }
}

/** What one server says of itself. */
export function redisFindings(report: RedisServerReport): Finding[] {
  const { address, version, role, appendOnly, appendFsync } = report;
  const { evictionPolicy, usedMemory, memoryLimit } = report;
  const where = `redis ${address}`;
  const findings: Finding[] = [];
  if (Number.parseInt(version, 10) < OLDEST_REDIS) {
    findings.push(
      error({ where, expected: `Redis ${OLDEST_REDIS} or newer`, got: version, fix: 'Upgrade it' }),
    );
  }
  if (role === 'slave') {
    findings.push(
      error({
        where,
        expected: 'the primary',
        got: 'a replica, which takes no writes',
        fix: 'Name the primary, or the Sentinels or nodes that know it',
      }),
    );
  }
  if (!appendOnly) {
    findings.push(
      warning({
        where,
        expected: 'an append-only file',
        got: 'appendonly no',
        fix: 'Set appendonly yes: else a restart forgets who was assigned, and only cookies remember',
      }),
    );
  }
  if (appendOnly && appendFsync !== undefined && appendFsync !== 'always') {
    findings.push(
      warning({
        where,
        expected: 'appendfsync always',
        got: `appendfsync ${appendFsync}`,
        fix: 'Set appendfsync always: else results that were answered with 202 can be lost when Redis or its machine dies',
      }),
    );
  }
  if (evictionPolicy.startsWith('allkeys-')) {
    findings.push(
      error({
        where,
        expected: 'noeviction, or volatile-lru',
        got: `maxmemory-policy ${evictionPolicy}`,
        fix: 'Set maxmemory-policy noeviction: when memory is full this one deletes any key, the published experiments included',
      }),
    );
  } else if (evictionPolicy !== 'noeviction' && evictionPolicy !== 'volatile-lru') {
    findings.push(
      warning({
        where,
        expected: 'noeviction, or volatile-lru',
        got: `maxmemory-policy ${evictionPolicy}`,
        fix: 'Set one of the two: this one may delete visitors who are still there before those who left',
      }),
    );
  }
  if (memoryLimit > 0 && usedMemory > NEARLY_FULL * memoryLimit) {
    findings.push(
      warning({
        where,
        expected: `at most ${NEARLY_FULL * 100} % of its memory used`,
        got: `${mebibytes(usedMemory)} of ${mebibytes(memoryLimit)}`,
        fix: 'Raise maxmemory: when it is full, new assignments are kept in cookies alone',
      }),
    );
  }
  if (findings.length > 0) return findings;
  const room =
    memoryLimit === 0 ? 'no limit of memory' : `${mebibytes(memoryLimit - usedMemory)} left`;
  return [ok(where, `version ${version}, ${role}, append-only file, ${evictionPolicy}, ${room}`)];
}

/** What the data folder says of itself. */
export function folderFindings({ folder, isWritable, room, network }: FolderReport): Finding[] {
  const where = `data folder ${folder}`;
  const findings: Finding[] = [];
  if (!isWritable) {
    findings.push(
      error({
        where,
        expected: 'a folder that this user can write to',
        got: 'no permission to write',
        fix: 'Give it to the user of the edge, or name another in dataDir or TURNOUT_DATA_DIR',
      }),
    );
  }
  if (room < ROOM) {
    findings.push(
      warning({
        where,
        expected: `${mebibytes(ROOM)} of room`,
        got: mebibytes(room),
        fix: 'Make room, or name a folder on another disk: when it is full, new assignments are kept in cookies alone',
      }),
    );
  }
  if (network !== undefined) {
    findings.push(
      error({
        where,
        expected: 'a file system of this machine',
        got: `${network}, on which SQLite's locks do not hold`,
        fix: 'Name a folder on a local disk; for edges on several machines, use redis',
      }),
    );
  }
  return findings.length > 0 ? findings : [ok(where, `writable, ${mebibytes(room)} of room`)];
}

function mebibytes(bytes: number): string {
  return `${Math.round(bytes / MEBIBYTE)} MiB`;
}
