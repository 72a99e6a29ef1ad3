import { Command } from 'commander';
import type { PreviewLink, previewRequestSchema } from '@turnout/contracts/management';
import { parseDuration } from '@turnout/contracts/parse-duration';
import type { z } from 'zod';
import { apiClient } from './api-client.ts';
import { usageError } from './command-error.ts';
import { addApiOptions, type ApiOptions } from './command-options.ts';
import type { Context } from './context.ts';
import { experimentPath } from './experiment-request.ts';
import { examples } from './help.ts';
import { minute } from './numbers.ts';

interface PreviewOptions extends ApiOptions {
  readonly path?: string;
  /** Seconds. */
  readonly for?: number;
}

/** `turnout preview`: a signed link that shows a variant to whoever opens it, uncounted. */
export function previewCommand(context: Context): Command {
  const command = new Command('preview')
    .description('Make a link that shows a variant to whoever opens it, without being counted.')
    .argument('<key>', 'experiment')
    .argument('<variant>', 'the variant to show')
    .option('--path <path>', 'the page to open', '/')
    .option('--for <time>', 'until it ends, such as 2h; at most 30d', seconds, 7 * 86_400)
    .addHelpText(
      'after',
      examples(['preview home-redesign B --path /plans --for 2h', 'for a colleague, until noon']),
    );
  return addApiOptions(command).action(
    async (key: string, variant: string, options: PreviewOptions) => {
      const { terminal } = context;
      const api = await apiClient(context, options);
      const link = await api.request<PreviewLink>('POST', experimentPath(key, '/preview'), {
        variant,
        path: options.path,
        expiresIn: options.for,
      } satisfies z.input<typeof previewRequestSchema>);
      terminal.print(
        options.json === true
          ? JSON.stringify(link, undefined, 2)
          : [
              link.url,
              `It shows ${variant} until ${minute(link.expiresAt)}, wherever ${key} is about the page, and is not counted.`,
              `To end it before: ${new URL('/_turnout/preview?off', link.url).href}`,
            ].join('\n'),
      );
    },
  );
}

function seconds(text: string): number {
  const milliseconds = parseDuration(text);
  if (milliseconds !== undefined && milliseconds % 1_000 === 0) return milliseconds / 1_000;
  throw usageError(`Expected a length of time such as 30m, 2h or 7d, got "${text}".`);
}
