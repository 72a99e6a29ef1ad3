import { dirname, resolve } from 'node:path';
import { CHECKS } from './checks.ts';
import { checkConfiguration } from './checks/configuration.ts';
import type { Finding } from './finding.ts';
import { withPublished, type Published } from './published.ts';
import { makeSurvey } from './survey.ts';

/** What one check found. */
export interface Examined {
  readonly name: string;
  readonly title: string;
  readonly findings: readonly Finding[];
}

export interface ExaminationOptions {
  /** The configuration's text. */
  readonly source: string;
  /** Where it came from; the data folder is relative to it. */
  readonly file: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Paths of pages to look at, besides those that the scopes name. */
  readonly paths: readonly string[];
  /** What an API has published; undefined where none answers. */
  readonly published?: Published;
  /** Milliseconds for each answer. */
  readonly timeout: number;
  /** Told after each answer of an upstream. */
  readonly onAnswer?: () => void;
}

function configuration(findings: readonly Finding[]): Examined {
  return { name: 'configuration', title: 'Configuration', findings };
}

/**
 * Runs all checks; only the first, if the configuration can't be used. Changes nothing
 * anywhere.
 */
export async function examine(options: ExaminationOptions): Promise<Examined[]> {
  const { source, file, env, paths, timeout, onAnswer } = options;
  const checked = checkConfiguration(source, file, env);
  if (checked.config === undefined) return [configuration(checked.findings)];
  const { config, findings } = withPublished(checked.config, options.published);
  const dataDir = resolve(dirname(file), config.dataDir);
  const survey = await makeSurvey({
    config,
    dataDir,
    paths,
    timeout,
    ...(onAnswer !== undefined && { onAnswer }),
  });
  try {
    const examined = await Promise.all(
      CHECKS.map(async (check) => ({
        name: check.name,
        title: check.title,
        findings: await check.run(survey),
      })),
    );
    return [configuration([...checked.findings, ...findings]), ...examined];
  } finally {
    survey.close();
  }
}
