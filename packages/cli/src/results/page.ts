import type { ExperimentResults, Population, PopulationAnalysis } from '@turnout/contracts/results';
import { probability } from '@turnout/stats/precision';
import { liftWords, rateCells, REASONS } from '../analysis/report.ts';
import { count } from '../numbers.ts';
import { escapeHtml } from './escape-html.ts';
import { forestSvg } from './forest-svg.ts';
import { exclusionWords, headline, isHeldBack, POPULATION_WORDS } from './report.ts';

/**
 * A page that holds all of the results: no script, nothing from elsewhere (its own policy forbids
 * both), light and dark, on a phone and on paper.
 */
export function resultsPage(results: ExperimentResults): string {
  const { experiment, title, trust, verdict, warnings, excluded, analyses } = results;
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Results of ${escapeHtml(experiment)}</title>
<style>${STYLE}</style>
<main>
<h1>${escapeHtml(title ?? experiment)}</h1>
<p>${escapeHtml(headline(results))}</p>
<section class="trust ${escapeHtml(trust.level)}" aria-label="Trust">
<p><strong>${escapeHtml(trust.sentence)}</strong></p>
${list(trust.findings)}
</section>
<p class="verdict">${escapeHtml(verdict)}</p>
${isHeldBack(results) ? '<p>Comparisons are left out, since they can not be trusted.</p>' : ''}
${warnings.length > 0 ? `<section class="warnings" aria-label="Warnings">${list(warnings.map(({ message }) => message))}</section>` : ''}
${section('raw', analyses.raw)}
${section('confirmed', analyses.confirmed)}
<h2>Left out</h2>
${list(excluded.map(exclusionWords))}
</main>
</html>
`;
}

function section(population: Population, analysis: PopulationAnalysis): string {
  const { arms, comparisons } = analysis;
  const lifts = comparisons.flatMap(({ key, alwaysValid }) =>
    alwaysValid.kind === 'known' && alwaysValid.lift.kind === 'known'
      ? { name: key, ...alwaysValid.lift, words: liftWords(alwaysValid.lift).range }
      : [],
  );
  return `<h2>${POPULATION_WORDS[population]}</h2>
${table(
  ['Variant', 'Visitors', 'Conversions', 'Rate', 'Interval'],
  arms.map(({ key, isControl, visitors, conversions, rate }) => [
    isControl ? `${key} (control)` : key,
    count(visitors),
    count(conversions),
    ...rateCells(rate),
  ]),
)}
${lifts.length > 0 ? `<h3>Lift over ${escapeHtml(analysis.control ?? 'control')}, however often it is looked at</h3>${forestSvg(lifts)}` : ''}
${
  comparisons.length > 0
    ? table(
        ['Variant', 'p, always valid', 'Decision'],
        comparisons.map(({ key, alwaysValid, decision }) => [
          key,
          alwaysValid.kind === 'known'
            ? probability(alwaysValid.adjustedP)
            : REASONS[alwaysValid.reason],
          decision.kind === 'decided' ? decision.direction : 'open',
        ]),
      )
    : ''
}`;
}

function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const head = titles.map((title) => `<th scope="col">${escapeHtml(title)}</th>`).join('');
  const body = rows.map(([name = '', ...cells]) => {
    const data = cells.map((cell) => `<td>${escapeHtml(cell)}</td>`).join('');
    return `<tr><th scope="row">${escapeHtml(name)}</th>${data}</tr>`;
  });
  return `<div class="scroll" tabindex="0"><table><thead><tr>${head}</tr></thead><tbody>${body.join('')}</tbody></table></div>`;
}

function list(items: readonly string[]): string {
  if (items.length === 0) return '';
  return `<ul>${items.map((item) => `<li>${escapeHtml(item)}</li>`).join('')}</ul>`;
}

const STYLE = `
:root{--paper:#fff;--ink:#1c1f23;--soft:#5b636d;--line:#d5dae0;--mark:#0b5cad;--good:#1a7f4b;--bad:#b3261e;--mind:#8a5a00}
@media (prefers-color-scheme:dark){:root{--paper:#14171a;--ink:#e8ebee;--soft:#a3adb8;--line:#3a4149;--mark:#7cb7ff;--good:#5fcf95;--bad:#ff8a80;--mind:#f0c060}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:1rem/1.5 system-ui,sans-serif}
main{max-width:46rem;margin:0 auto;padding:1rem}
h1{font-size:1.5rem;overflow-wrap:anywhere}h2{font-size:1.15rem;margin-top:2rem}h3{font-size:1rem}
.trust{border-left:.3rem solid var(--mind);padding:.1rem 1rem}
.trust.sound{border-color:var(--good)}.trust.broken{border-color:var(--bad)}
.verdict{font-size:1.2rem;font-weight:600}
.warnings{color:var(--mind)}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{padding:.35rem .6rem;border-bottom:1px solid var(--line);text-align:right;white-space:nowrap}
th:first-child{text-align:left}thead th{color:var(--soft);font-weight:500}
.lift p{margin:.6rem 0 0;overflow-wrap:anywhere}.soft{color:var(--soft)}
svg{display:block;width:100%;height:1.5rem}svg line{vector-effect:non-scaling-stroke}
.zero{stroke:var(--soft);stroke-dasharray:3 3}
.whisker{stroke:var(--mark);stroke-width:3;stroke-linecap:round}.estimate{stroke:var(--mark);stroke-width:5}
@media print{
:root{--paper:#fff;--ink:#000;--soft:#444;--line:#999;--mark:#0b5cad;--good:#1a7f4b;--bad:#b3261e;--mind:#8a5a00}
.scroll{overflow:visible}th,td{white-space:normal}tr,.lift,.trust,.warnings{break-inside:avoid}h2,h3{break-after:avoid}
}
`;
