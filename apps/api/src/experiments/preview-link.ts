import type { ExperimentDocument } from '@turnout/contracts';
import type { PreviewLink, previewRequestSchema } from '@turnout/contracts/management';
import { isLocalPath, signPreview } from '@turnout/router-core';
import type { z } from 'zod';
import { HttpProblem } from '../http/problem.ts';
import type { AuditRepository } from '../repository/audit-repository.ts';
import { InvalidChange } from './change-errors.ts';
import { unknownVariant } from './unknown-variant.ts';

/** Makes a signed link that shows one variant, and writes down who wanted it. */
export type MakePreviewLink = (
  experiment: ExperimentDocument,
  request: z.output<typeof previewRequestSchema>,
  author: string,
) => Promise<PreviewLink>;

export interface PreviewLinkOptions {
  /** What visitors type; undefined where nobody knows. */
  readonly publicUrl: string | undefined;
  readonly secret: string;
  readonly audit: AuditRepository;
  readonly now: () => Date;
}

const PATH =
  'expected the path of a page of this site, such as /plans: percent-encoded where it is not ASCII, ' +
  'and at most 1000 characters';

const ARCHIVED = 'an archived experiment is known to no edge: restore it first';

/**
 * The returned function throws InvalidChange for a variant that is not there or a path that
 * leads elsewhere, HttpProblem 503 when the public address is not known.
 */
export function createPreviewLinks(options: PreviewLinkOptions): MakePreviewLink {
  const { publicUrl, secret, audit, now } = options;
  return async (experiment, { variant, path, expiresIn }, author) => {
    const problems = [
      ...(experiment.status === 'archived' ? [{ path: [], message: ARCHIVED }] : []),
      ...unknownVariant(experiment, variant, ['variant']),
      ...(isLocalPath(path) && path.length <= 1_000 ? [] : [{ path: ['path'], message: PATH }]),
    ];
    if (problems.length > 0) throw new InvalidChange(problems);
    if (publicUrl === undefined) {
      throw new HttpProblem(
        503,
        'Service Unavailable',
        'The public address is not known here. Set public.url in turnout.yaml, and TURNOUT_CONFIG to that file.',
      );
    }
    const { key } = experiment;
    const at = now();
    const expires = Math.floor(at.getTime() / 1_000) + expiresIn;
    const expiresAt = new Date(expires * 1_000).toISOString();
    const token = signPreview({ experiment: key, variant, expires, path }, secret);
    await audit.record({
      at,
      author,
      action: 'experiment.preview',
      subject: key,
      reason: `${variant} on ${path} until ${expiresAt}`,
    });
    return { url: `${publicUrl}/_turnout/preview?token=${token}`, expiresAt };
  };
}
