import type {
  Change,
  Difference,
  ExperimentDocument,
  MovePreview,
} from '@turnout/contracts/management';
import { differenceWords } from './difference-words.ts';
import { count, percent, percentOfSlots } from './numbers.ts';
import { table } from './table.ts';

const SLOTS = 10_000;

/** `control 50 / A 20 / B 30` */
export function splitOf({ variants }: ExperimentDocument): string {
  return variants.map(({ key, weight }) => `${key} ${weight}`).join(' / ');
}

const EFFECT: Readonly<Record<string, string>> = {
  draft: 'It is as if it were not there.',
  running: 'New visitors take part.',
  paused: 'Nobody new takes part; who is assigned keeps the variant.',
  killed: 'All visitors get control.',
  concluded: 'All visitors get the winner.',
  archived: 'It is as if it were not there; its history and results stay.',
};

/** What a change would do, and who would move; undefined when it would do nothing. */
export function showChange(change: Change): string | undefined {
  const { action, experiment, diff, preview } = change;
  const { key, document } = experiment;
  const warnings = (change.warnings ?? []).map((warning) => `Warning: ${warning}`);
  if (action === 'none') return undefined;
  if (action === 'create') {
    const { status, coverage } = document;
    const part = coverage === SLOTS ? '' : `, coverage ${percentOfSlots(coverage)}`;
    const created = `${key} is new: ${status}, ${splitOf(document)}${part}`;
    return [created, ...warnings.map((line) => `  ${line}`)].join('\n');
  }
  const lines = [
    ...differenceWords(diff),
    ...(diff.some(({ path }) => path[0] === 'status') ? [EFFECT[document.status] ?? ''] : []),
    ...(diff.some(isAboutSlots) ? showMoves(preview) : []),
    ...warnings,
  ];
  return [key, ...lines.map((line) => `  ${line}`)].join('\n');
}

/** Whether it is one that may give somebody another variant by the slots alone. */
function isAboutSlots({ path }: Difference): boolean {
  return ['variants', 'moves', 'coverage', 'layer', 'phase', 'salt'].includes(String(path[0]));
}

/** What several changes would do; undefined when none would do anything. */
export function showChanges(changes: readonly Change[]): string | undefined {
  const shown = changes.flatMap((change) => showChange(change) ?? []);
  return shown.length === 0 ? undefined : shown.join('\n\n');
}

export function tellChange({ action, experiment: { key, revision } }: Change): string {
  if (action === 'none') return `${key} is as it was, at revision ${revision}.`;
  return `${key} is at revision ${revision} now.`;
}

function showMoves({ slotsMoved, moves, counted }: MovePreview): string[] {
  const lines =
    slotsMoved === 0
      ? []
      : [`${percentOfSlots(slotsMoved)} of new visitors would get another variant than before.`];
  if (moves.length === 0) return [...lines, 'No assigned visitor would move.'];
  const source =
    counted === undefined
      ? 'how many there are, the ledger could not say'
      : `an estimate from ${count(counted.visitors)} who were assigned in the last ${counted.days} days`;
  const moved = table(
    [
      { title: 'FROM' },
      { title: 'TO' },
      { title: 'SHARE', align: 'right' },
      { title: 'VISITORS', align: 'right' },
    ],
    moves.map(({ from, to, share, visitors }) => [
      from,
      to,
      percent(share),
      counted === undefined ? '?' : count(visitors),
    ]),
  );
  return [
    ...lines,
    `Visitors who would move (${source}):`,
    ...moved.split('\n').map((line) => `  ${line}`),
  ];
}
