import type { ExplainRequest, ExplainStep, Explanation } from '@turnout/contracts/explanation';
import {
  assigned,
  coverageSlot,
  createRequestTraits,
  explainPredicate,
  explainRoute,
  explainScope,
  isHoldout,
  isInLayer,
  isMoved,
  layerSlot,
  proposeFromHash,
  proposeFromMirror,
  slotOf,
  type CookieReading,
  type Experiment,
  type Ledger,
  type RequestTraits,
  type StoredAssignment,
  type VisitorId,
} from '@turnout/router-core';
import type { Edge, Testing } from './edge.ts';
import type { Live } from './live.ts';
import { requestKind, type RequestKind } from './request-kind.ts';

/** What a browser sends when a person opens a page. */
const AS_A_PERSON = { accept: 'text/html', 'sec-fetch-mode': 'navigate' };
/** Rules that did not match are told up to this many: beyond, they only hide the others. */
const MISSES_TOLD = 20;
/** How long the ledger may take here, in ms: nobody's page waits. */
const LEDGER_PATIENCE = 1_000;

type Outcome = Explanation['outcome'];

/** One question: what is known of the request, and what was found so far. */
interface Inquiry {
  readonly edge: Edge;
  readonly ledger: Ledger | undefined;
  readonly traits: RequestTraits;
  readonly kind: RequestKind;
  readonly steps: ExplainStep[];
}

/**
 * Says where a request would go, and why, by the very things that decide: routes, experiments,
 * cookie, ledger. It mints nobody, writes nothing and counts nothing, so it can not simply
 * decide; a test holds the two together.
 */
export async function explain(
  edge: Edge,
  ledger: Ledger | undefined,
  question: ExplainRequest,
): Promise<Explanation> {
  const { method = 'GET', url } = question;
  const headers = new Map(
    Object.entries({ ...AS_A_PERSON, ...question.headers }).map(([name, value]) => [
      name.toLowerCase(),
      value,
    ]),
  );
  const [, authority, path = '/'] = /^https?:\/\/([^/?#]*)(.*)$/is.exec(url) ?? [];
  const host = authority ?? headers.get('host') ?? edge.namedFirst;
  const traits = createRequestTraits({
    method,
    target: authority === undefined ? url : path || '/',
    host,
    secure: edge.isSecure || /^https:/i.test(url),
    header: (name) => headers.get(name),
    countryHeader: edge.countryHeader,
  });
  const kind = requestKind(method, traits.path, Object.fromEntries(headers));
  const steps: ExplainStep[] = [];
  const live = edge.testing?.live;
  const outcome = withUpstreamHere(live, await follow({ edge, ledger, traits, kind, steps }, live));
  return {
    request: { method, host: traits.host, path: traits.path, kind },
    ...(live !== undefined && { revision: live.revision }),
    steps,
    outcome,
  };
}

/** Where the upstream of the variant is not here, control's stands in. */
function withUpstreamHere(live: Live | undefined, outcome: Outcome): Outcome {
  const experiment = outcome.experiment && live?.experiment(outcome.experiment);
  const variant = experiment && outcome.variant && experiment.variant(outcome.variant);
  if (live === undefined || !variant) return outcome;
  return { ...outcome, upstream: live.destinationOutside(variant).upstream.name };
}

async function follow(inquiry: Inquiry, live: Live | undefined): Promise<Outcome> {
  const { edge, traits, steps } = inquiry;
  const { host, path } = traits;
  if (!edge.allows(host)) {
    steps.push({ step: 'host', detail: `"${host}" is not in public.hosts: refused` });
    return { status: 421, counted: false };
  }
  steps.push({ step: 'host', detail: `"${host}" is answered here` });
  if (path === '/_turnout' || path.startsWith('/_turnout/')) {
    steps.push({ step: 'route', detail: `${path} is an endpoint of the edge itself` });
    return { counted: false };
  }
  const routes = edge.routeDefinitions;
  const owner = edge.routes.match(traits);
  if (owner !== undefined) {
    const first = routes
      .map((one) => explainRoute(one, traits))
      .filter(({ holds }) => holds)
      .slice(0, 1);
    steps.push({
      step: 'route',
      detail: `a route gives ${path} to "${owner}", whatever the variant`,
      rules: first,
    });
    return { upstream: owner, counted: false };
  }
  steps.push({
    step: 'route',
    detail: `no route owns ${path}`,
    ...(routes.length <= MISSES_TOLD && { rules: routes.map((one) => explainRoute(one, traits)) }),
  });
  const { testing } = edge;
  if (testing === undefined || live === undefined) {
    steps.push({ step: 'experiment', detail: 'there are no experiments: the default upstream' });
    return elsewhere(edge);
  }
  return followExperiments(inquiry, testing, live);
}

async function followExperiments(inquiry: Inquiry, testing: Testing, live: Live): Promise<Outcome> {
  const { edge, traits, kind, steps } = inquiry;
  const preview = testing.previews.of(traits.cookie);
  if (preview !== undefined) {
    const experiment = live.experiment(preview.experiment);
    const variant = experiment?.variant(preview.variant);
    if (experiment !== undefined && variant !== undefined && experiment.inScope(traits)) {
      steps.push({
        step: 'preview',
        detail: `a preview token shows "${variant.key}" of "${experiment.key}"`,
      });
      return served(experiment, variant.key, variant.upstream, 'preview');
    }
    steps.push({
      step: 'preview',
      detail: 'a preview token is about another page, and counts nobody',
    });
  }
  const scoped = live.set.inScope(traits);
  for (const definition of live.definitions) {
    const { key, status, scope, audience } = definition;
    const experiment = scoped.find((one) => one.key === key);
    if (experiment === undefined && live.definitions.length > MISSES_TOLD) continue;
    const rules = [explainScope(scope, traits)];
    if (audience !== undefined) rules.push(explainPredicate(audience, traits));
    steps.push({
      step: 'experiment',
      detail: experimentDetail(key, status, experiment, traits),
      rules,
    });
  }
  const admitting = scoped.filter((experiment) => experiment.admits(traits));
  const [candidate] = admitting;
  if (candidate === undefined) {
    steps.push({ step: 'experiment', detail: 'no experiment decides: the default upstream' });
    return elsewhere(edge);
  }
  for (const experiment of admitting) {
    if (experiment.status !== 'running' && experiment.status !== 'paused') continue;
    const variant = experiment.forcedVariant(traits);
    if (variant === undefined) continue;
    const forced = live.definitions.find(({ key }) => key === experiment.key)?.forced ?? [];
    steps.push({
      step: 'forced',
      detail: `a rule of "${experiment.key}" forces "${variant.key}"`,
      rules: forced.map(({ when }) => explainPredicate(when, traits)),
    });
    return served(experiment, variant.key, variant.upstream, 'forced');
  }
  if (!testing.consents(traits) && forAll(candidate) === undefined) {
    steps.push({ step: 'consent', detail: 'the visitor has not agreed to be told apart: control' });
    return control(candidate, 'no-consent');
  }
  const reading: CookieReading =
    preview === undefined
      ? testing.cookies(traits.secure).read(traits.cookie)
      : { status: 'absent' };
  const isNavigation = kind === 'navigation' && preview === undefined;
  const visitor =
    preview === undefined
      ? visitorDetail(reading, isNavigation)
      : 'the holder of a preview token is nobody here, whatever their cookie says';
  steps.push({ step: 'visitor', detail: visitor });
  const settled = forAll(candidate);
  if (reading.status !== 'valid') {
    if (settled !== undefined) return statusOutcome(candidate, steps);
    return isNavigation ? drawn(candidate, steps) : control(candidate, 'cookieless');
  }
  const experiment = admitting.find((one) => isInLayer(one, reading.id));
  for (const { key, layer } of admitting) {
    if (layer === undefined) continue;
    const [first, end] = layer.slots;
    steps.push({
      step: 'layer',
      detail: `"${key}" has the slots [${first}, ${end}) of layer "${layer.name}"; the visitor draws ${layerSlot(layer.name, reading.id)}`,
    });
  }
  if (experiment === undefined) {
    steps.push({ step: 'layer', detail: 'the layers give this visitor to other experiments' });
    return elsewhere(edge);
  }
  return followVisitor(inquiry, experiment, reading);
}

async function followVisitor(
  { ledger, kind, steps }: Inquiry,
  experiment: Experiment,
  { id, mirror }: CookieReading & { status: 'valid' },
): Promise<Outcome> {
  const { key, status, salt, phase, coverage } = experiment;
  if (status === 'killed' || status === 'concluded') return statusOutcome(experiment, steps);
  if (isHoldout(experiment, id)) {
    const slot = coverageSlot(salt, phase, id);
    steps.push({
      step: 'coverage',
      detail: `the visitor draws ${slot}, and the first ${coverage} of 10,000 take part: holdout`,
    });
    return control(experiment, 'holdout');
  }
  const counted = kind === 'navigation';
  const slot = slotOf(salt, phase, id);
  const stored = await storedFor(ledger, id, key);
  const kept =
    typeof stored === 'object' && !isMoved(experiment, id, stored)
      ? assigned(experiment, stored, 'store')
      : undefined;
  steps.push({ step: 'ledger', detail: ledgerDetail(stored, kept?.variant.key) });
  if (kept !== undefined) {
    return { ...served(experiment, kept.variant.key, kept.variant.upstream, 'store'), counted };
  }
  const mirrored = proposeFromMirror(experiment, { id, mirror });
  steps.push({
    step: 'mirror',
    detail:
      mirrored === undefined
        ? 'the cookie repeats nothing that holds'
        : `the cookie repeats "${mirrored.variant.key}"`,
  });
  if (mirrored !== undefined) {
    const { variant } = mirrored;
    return { ...served(experiment, variant.key, variant.upstream, 'mirror'), counted };
  }
  if (status === 'paused') {
    steps.push({ step: 'status', detail: 'paused: nobody new is assigned' });
    return control(experiment, 'paused');
  }
  const { variant } = proposeFromHash(experiment, id);
  steps.push({
    step: 'hash',
    detail: `slot ${slot} of phase ${phase} belongs to "${variant.key}"`,
  });
  return { ...served(experiment, variant.key, variant.upstream, 'hash'), counted };
}

function experimentDetail(
  key: string,
  status: string,
  experiment: Experiment | undefined,
  traits: RequestTraits,
): string {
  const named = `"${key}" (${status})`;
  if (status === 'draft') return `${named} decides nothing yet`;
  if (status === 'archived') return `${named} decides nothing any more`;
  if (experiment === undefined) return `${named} is about other requests`;
  return experiment.admits(traits)
    ? `${named} is about this request, and its audience takes it`
    : `${named} is about this request, but its audience does not take it`;
}

function visitorDetail(reading: CookieReading, isNavigation: boolean): string {
  if (reading.status === 'valid') return `the cookie is of visitor ${reading.id}`;
  const cookie =
    reading.status === 'absent'
      ? 'no visitor cookie'
      : `a visitor cookie that is ${reading.reason}`;
  return isNavigation
    ? `${cookie}: a visitor is minted, whose id draws the variant`
    : `${cookie}, and nobody opens a page: no visitor is minted`;
}

/** What the ledger holds of a visitor in an experiment; or why it can not be known. */
async function storedFor(
  ledger: Ledger | undefined,
  id: VisitorId,
  experiment: string,
): Promise<StoredAssignment | 'nothing' | 'silent'> {
  if (ledger === undefined) return 'silent';
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'silent'>((resolve) => {
    timer = setTimeout(resolve, LEDGER_PATIENCE, 'silent');
  });
  const answer = ledger.get(id).then(
    (all) => all.get(experiment) ?? ('nothing' as const),
    () => 'silent' as const,
  );
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

function ledgerDetail(
  stored: StoredAssignment | 'nothing' | 'silent',
  kept: string | undefined,
): string {
  if (stored === 'silent') return 'the ledger does not answer';
  if (stored === 'nothing') return 'the ledger holds nothing of this visitor';
  const held = `the ledger holds "${stored.variant}" of phase ${stored.phase}, revision ${stored.revision}`;
  return kept === undefined ? `${held}, which does not stand any more` : held;
}

/** What everybody gets of an experiment that is over. */
function forAll({ status, layer }: Experiment): true | undefined {
  return layer === undefined && (status === 'killed' || status === 'concluded') ? true : undefined;
}

function statusOutcome(experiment: Experiment, steps: ExplainStep[]): Outcome {
  const { status, winner } = experiment;
  const isOver = status === 'concluded';
  steps.push({
    step: 'status',
    detail: isOver ? `concluded: all get "${winner.key}"` : 'killed: all get control',
  });
  if (isOver) return served(experiment, winner.key, winner.upstream, status);
  return control(experiment, status);
}

/** A visitor who is not minted yet: whose slot nobody knows. */
function drawn(experiment: Experiment, steps: ExplainStep[]): Outcome {
  const { key, status, variants } = experiment;
  if (status === 'paused') {
    steps.push({ step: 'status', detail: 'paused: nobody new is assigned' });
    return control(experiment, 'paused');
  }
  const keys = variants.map((variant) => `"${variant.key}"`).join(', ');
  steps.push({ step: 'hash', detail: `the id that is minted decides among ${keys}` });
  return { experiment: key, source: 'hash', counted: true };
}

function elsewhere(edge: Edge): Outcome {
  return { upstream: edge.fallback.upstream.name, counted: false };
}

function control(experiment: Experiment, source: string): Outcome {
  return served(experiment, experiment.control.key, experiment.control.upstream, source);
}

function served({ key }: Experiment, variant: string, upstream: string, source: string): Outcome {
  return { upstream, experiment: key, variant, source, counted: false };
}
