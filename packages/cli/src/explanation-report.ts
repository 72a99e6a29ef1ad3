import type { Explanation, RuleTrace } from '@turnout/contracts/explanation';
import type { Terminal } from './terminal.ts';

type Styled = Pick<Terminal, 'style'>;

/** A request's way through the edge: each step, its rules as a tree, and where it ends. */
export function showExplanation(
  { request, revision, steps, outcome }: Explanation,
  terminal: Styled,
): string {
  const { method, host, path, kind } = request;
  const snapshot =
    revision === undefined ? 'no published snapshot' : `snapshot revision ${revision}`;
  const width = Math.max(...steps.map(({ step }) => step.length));
  return [
    terminal.style('bold', `${method} ${host}${path}`),
    `${kind}, ${snapshot}`,
    '',
    ...steps.flatMap(({ step, detail, rules = [] }) => [
      `${step.padEnd(width)}  ${detail}`,
      ...rules.flatMap((rule) => ruleLines(rule, ' '.repeat(width + 2), terminal)),
    ]),
    '',
    terminal.style('bold', `→ ${outcomeWords(outcome)}`),
  ].join('\n');
}

/** One rule and its parts, drawn as a tree. */
function ruleLines(trace: RuleTrace, indent: string, terminal: Styled): string[] {
  const { rule, holds, saw, parts = [] } = trace;
  const sign = holds ? terminal.style('green', '✓') : terminal.style('red', '✗');
  const had = saw === undefined ? '' : terminal.style('dim', `  (has ${saw})`);
  return [
    `${indent}${sign} ${rule}${had}`,
    ...parts.flatMap((part, index) => {
      const isLast = index === parts.length - 1;
      const [first = '', ...rest] = ruleLines(part, '', terminal);
      return [
        `${indent}${isLast ? '└ ' : '├ '}${first}`,
        ...rest.map((line) => `${indent}${isLast ? '  ' : '│ '}${line}`),
      ];
    }),
  ];
}

function outcomeWords(outcome: Explanation['outcome']): string {
  const { upstream, status, experiment, variant, source, counted } = outcome;
  const parts = [
    upstream === undefined ? 'answered by the edge itself' : `upstream ${upstream}`,
    status === undefined ? undefined : `status ${status}`,
    experiment === undefined ? undefined : `experiment ${experiment}`,
    variant === undefined
      ? undefined
      : `variant ${variant}${source === undefined ? '' : ` (${source})`}`,
    counted ? 'counted' : 'not counted',
  ];
  return parts.filter((part) => part !== undefined).join(', ');
}
