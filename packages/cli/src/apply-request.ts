import type { ExperimentFile } from '@turnout/contracts';
import type {
  ApplyResult,
  ExperimentList,
  Meaning,
  applySchema,
} from '@turnout/contracts/management';
import type { z } from 'zod';
import type { JsonClient } from './api-client.ts';

/** Asks the API to apply a file, or what it would do. */
export type SendApply = (reason: string, dryRun: boolean) => Promise<ApplyResult>;

/**
 * Prepares to apply a file. Each document is bound to the revision that it names, or else to
 * the one that stands now, or to that there is none: what is applied is what was shown, or nothing.
 */
export async function prepareApply(
  api: JsonClient,
  { experiments, revisions }: ExperimentFile,
  meaning: Meaning | undefined,
): Promise<SendApply> {
  const { experiments: present } = await api.request<ExperimentList>(
    'GET',
    '/v1/experiments?archived=true',
  );
  const known = new Map(present.map(({ key, revision }) => [key, revision]));
  const standing = experiments.map(({ key }) => [key, known.get(key) ?? 0] as const);
  const named = Object.entries(revisions).filter(([key]) => known.has(key));
  return (reason, dryRun) =>
    api.request('POST', '/v1/apply', {
      experiments: [...experiments],
      revisions: Object.fromEntries([...standing, ...named]),
      reason,
      meaning,
      dryRun,
    } satisfies z.input<typeof applySchema>);
}
