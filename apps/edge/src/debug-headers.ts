import type { Preview } from '@turnout/router-core';
import type { Decision } from './decide.ts';

/**
 * How a request was decided, told to holders of a preview token alone: variants and their
 * names are nobody else's business. `X-Turnout-Preview` is the badge: it says that this is a
 * preview, of what, and how to end it.
 *
 * @returns names and values in turn
 */
export function debugHeaders(decision: Decision, preview: Preview): string[] {
  const { experiment, variant, expires } = preview;
  const until = new Date(expires * 1_000).toISOString();
  const headers = [
    'X-Turnout-Preview',
    `${experiment}=${variant}; until=${until}; end=/_turnout/preview?off`,
    'X-Turnout-Upstream',
    decision.destination.upstream.name,
  ];
  if (decision.experiment !== undefined) headers.push('X-Turnout-Experiment', decision.experiment);
  if (decision.variant !== undefined) headers.push('X-Turnout-Variant', decision.variant);
  if (decision.source !== undefined) headers.push('X-Turnout-Source', decision.source);
  if (decision.revision !== undefined) {
    headers.push('X-Turnout-Revision', String(decision.revision));
  }
  return headers;
}
