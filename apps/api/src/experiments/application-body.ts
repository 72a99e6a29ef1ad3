import { experimentSchema, schemaProblems } from '@turnout/contracts';
import type { ExperimentDocument, Problem } from '@turnout/contracts';
import { applySchema } from '@turnout/contracts/management';
import { createTimeSlices } from '@turnout/router-core';
import type { z } from 'zod';
import { MALFORMED, checkedBody, refuseTooDeep } from '../http/checked.ts';
import { unprocessable } from '../http/problem.ts';

/** Bytes of one document. */
const DOCUMENT_LIMIT = 1024 * 1024;
/** How long documents are read before other work gets its turn, in ms. */
const SLICE = 10;

/**
 * The body of an apply as `checkedBody` reads it, but document by document, between other work:
 * there may be thousands.
 *
 * @throws HttpProblem 422 that names every problem with its place
 */
export async function checkedApplication(body: unknown): Promise<z.output<typeof applySchema>> {
  const documents = documentsOf(body);
  if (documents === undefined) return checkedBody(applySchema, body);
  const slice = createTimeSlices(SLICE);
  const problems: Problem[] = [];
  const experiments: ExperimentDocument[] = [];
  for (const [index, raw] of documents.entries()) {
    // Within a list within the body.
    refuseTooDeep(raw, 2);
    const { data, error } = experimentSchema.safeParse(raw);
    if (data !== undefined) experiments.push(data);
    for (const { path, message } of [...schemaProblems(error, raw), ...sizeProblems(raw)]) {
      problems.push({ path: ['experiments', index, ...path], message });
    }
    await slice();
  }
  const rest = { ...Object(body), experiments: [] };
  refuseTooDeep(rest, 0);
  const { data, error } = applySchema.safeParse(rest);
  problems.push(...schemaProblems(error, rest));
  if (data === undefined || problems.length > 0) throw unprocessable(MALFORMED, problems);
  return { ...data, experiments };
}

/** What one experiment may hold is the same wherever it comes from: databases have limits of their own. */
function sizeProblems(document: unknown): Problem[] {
  const bytes = Buffer.byteLength(JSON.stringify(document));
  if (bytes <= DOCUMENT_LIMIT) return [];
  const message = `expected at most ${DOCUMENT_LIMIT} bytes of JSON, got ${bytes}`;
  return [{ path: [], message }];
}

function documentsOf(body: unknown): readonly unknown[] | undefined {
  if (typeof body !== 'object' || body === null || !('experiments' in body)) return undefined;
  return Array.isArray(body.experiments) ? body.experiments : undefined;
}
