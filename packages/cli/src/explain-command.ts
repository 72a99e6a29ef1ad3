import { Command, InvalidArgumentError, Option } from 'commander';
import type { ExplainRequest, Explanation } from '@turnout/contracts/explanation';
import { edgeClient } from './api-client.ts';
import { usageError } from './command-error.ts';
import { configOption, jsonOption, type OutputOptions } from './command-options.ts';
import type { Context } from './context.ts';
import { showExplanation } from './explanation-report.ts';
import { examples } from './help.ts';
import type { PlaceOptions } from './installation.ts';

// As in the contract, which is not loaded for them: it would double the time of a start.
const METHODS = [
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
] as const satisfies ExplainRequest['method'][];
const EXPLAINABLE = /^(?:\/|https?:\/\/[^/?#\s]+(?:[/?#]|$))\S*$/i;

interface ExplainOptions extends OutputOptions, PlaceOptions {
  readonly method: (typeof METHODS)[number];
  readonly header: readonly string[];
  readonly cookie: readonly string[];
}

/** `turnout explain`: why a request goes where it goes. */
export function explainCommand(context: Context): Command {
  return new Command('explain')
    .description('Tell why a request would go where it goes, rule by rule. Nothing is counted.')
    .argument('<url>', 'absolute, or a path of the first of public.hosts')
    .addOption(
      new Option('--method <method>', 'of the request')
        .choices(METHODS)
        .argParser(knownMethod)
        .default('GET'),
    )
    .option('--header <line>', "such as 'Accept-Language: de'; may be repeated", collect, [])
    .option('--cookie <pair>', "such as 'turnout=1.…'; may be repeated", collect, [])
    .option('--edge <url>', "where the edge's private port is")
    .addOption(configOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
Unless headers say otherwise, the request is a person's who opens a page. A script's fetch is
--header 'Sec-Fetch-Mode: cors'.
${examples(
  ['explain /plans', 'a visitor who was never here'],
  ["explain /plans --cookie 'turnout=1.…' --header 'User-Agent: Googlebot/2.1'", 'somebody'],
)}`,
    )
    .action(async (url: string, options: ExplainOptions) => {
      const { terminal } = context;
      if (!EXPLAINABLE.test(url)) {
        throw usageError(
          `Expected a path such as /plans, or an address such as https://shop.example/plans, got "${url}".`,
        );
      }
      const headers = requestHeaders(options.header, options.cookie);
      const edge = await edgeClient(context, options);
      const explanation = await edge.request<Explanation>('POST', '/v1/explain', {
        url,
        headers,
        method: options.method,
      } satisfies ExplainRequest);
      terminal.print(
        options.json === true
          ? JSON.stringify(explanation, undefined, 2)
          : showExplanation(explanation, terminal),
      );
    });
}

/**
 * The headers of a request by their names in lower case; those that are there twice are joined.
 *
 * @throws {CommandError} for a line that is no header
 */
export function requestHeaders(
  lines: readonly string[],
  cookies: readonly string[],
): Record<string, string> {
  const headers = new Map<string, string>();
  const pairless = cookies.find((cookie) => !/^[^=\s;]+=/.test(cookie));
  if (pairless !== undefined) {
    throw usageError(`Expected a cookie such as 'turnout=1.…', got "${pairless}".`);
  }
  for (const line of [...lines, ...cookies.map((cookie) => `cookie: ${cookie}`)]) {
    const [, name, value = ''] = /^([A-Za-z0-9!#$%&'*+.^_`|~-]+):\s*(.*?)\s*$/.exec(line) ?? [];
    if (name === undefined) {
      throw usageError(`Expected a header such as 'Accept-Language: de', got "${line}".`);
    }
    const key = name.toLowerCase();
    const before = headers.get(key);
    const separator = key === 'cookie' ? '; ' : ', ';
    headers.set(key, before === undefined ? value : `${before}${separator}${value}`);
  }
  return Object.fromEntries(headers);
}

function knownMethod(text: string): (typeof METHODS)[number] {
  const method = METHODS.find((one) => one === text.toUpperCase());
  if (method !== undefined) return method;
  throw new InvalidArgumentError(`Expected one of ${METHODS.join(', ')}.`);
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}
