import type { ExperimentDocument } from '@turnout/contracts';
import {
  NextExperimentSet,
  byPriority,
  compileExperiment,
  createTimeSlices,
  type Experiment,
  type ExperimentSet,
  type Variant,
} from '@turnout/router-core';
import type { Destination } from './destination.ts';

/** How long a worker may compile before it sees to its requests, in ms. */
const SLICE = 5;

/** What a snapshot consists of. */
export interface SnapshotHead {
  /** 0 for the seeds of the configuration. */
  readonly revision: number;
  /** Milliseconds since 1970. */
  readonly publishedAt: number;
  /** Keys of its experiments, in order. */
  readonly keys: readonly string[];
}

/**
 * The experiments of one snapshot, compiled. A request takes them once, when its decision
 * begins, and is decided by them alone: a newer snapshot never meets an older one in it.
 */
export interface Live {
  /** Of the snapshot; 0 for the seeds of the configuration. */
  readonly revision: number;
  /** Those that are in force. */
  readonly set: ExperimentSet;
  /** As they are written down, drafts too. */
  readonly definitions: readonly Experiment['definition'][];
  /** Any of them, drafts too: what a preview may show. */
  experiment(key: string): Experiment | undefined;
  /** Where those who are assigned to a variant go; counted for what serves them. */
  destinationOf(variant: Variant): Destination;
  /** Where those who are served a variant without being assigned go; counted for none. */
  destinationOutside(variant: Variant): Destination;
}

/** The revision that an event carries: the experiment's own, whose weights drew its visitors. */
export function revisionFor(live: Live, experiment: string): number {
  return live.experiment(experiment)?.revision ?? 1;
}

/** Where a variant's visitors go. */
interface VariantDestinations {
  readonly assigned: Destination;
  readonly outside: Destination;
}

/** By the variant itself, so that the request path builds no keys. */
type Destinations = ReadonlyMap<Variant, VariantDestinations>;

/** An experiment, and where its variants are. */
interface Compiled {
  readonly experiment: Experiment;
  readonly destinations: Destinations;
}

/**
 * Compiles one snapshot after the other, each out of the one before: what has not changed is
 * taken over, and what has is compiled in slices, between requests.
 */
export class LiveCompiler {
  readonly #upstreams: ReadonlyMap<string, Destination>;
  /** What decides at present, by key. */
  #present: ReadonlyMap<string, Compiled> = new Map();
  #set: ExperimentSet | undefined;
  /** What is new in the snapshot to come, by key. */
  #fresh = new Map<string, Compiled>();
  #next = new NextExperimentSet();
  /** Why the snapshot to come can't be used. */
  #failure: { readonly error: unknown } | undefined;

  /** @param upstreams those of the configuration */
  constructor(upstreams: ReadonlyMap<string, Destination>) {
    this.#upstreams = upstreams;
  }

  /**
   * Compiles some of the snapshot to come, as JSON. What is wrong with it is told when that is
   * finished.
   */
  async prepare(texts: readonly string[]): Promise<void> {
    const slice = createTimeSlices(SLICE);
    try {
      for (const text of texts) {
        const document: ExperimentDocument = JSON.parse(text);
        const { key } = document;
        this.#drop(this.#fresh.get(key) ?? this.#present.get(key));
        const compiled = compile(document, this.#upstreams);
        this.#fresh.set(key, compiled);
        this.#next.put(compiled.experiment);
        await slice();
      }
    } catch (error) {
      this.#failure ??= { error };
    }
  }

  /**
   * The snapshot whose experiments were all in the one before, or were prepared. Either way the
   * next one begins with what is used then.
   *
   * @throws {Error} for one that can't be used
   */
  async finish({ revision, keys }: SnapshotHead): Promise<Live> {
    const slice = createTimeSlices(SLICE);
    try {
      if (this.#failure !== undefined) throw this.#failure.error;
      const compiled = new Map<string, Compiled>();
      for (const key of keys) {
        const one = this.#fresh.get(key) ?? this.#present.get(key);
        if (one === undefined) throw new Error(`Expected the experiment "${key}" before`);
        compiled.set(key, one);
      }
      for (const [key, one] of [...this.#present, ...this.#fresh]) {
        if (!compiled.has(key)) this.#drop(one);
        await slice();
      }
      const experiments = [...compiled.values()].map(({ experiment }) => experiment);
      this.#set = this.#next.finish(experiments);
      this.#present = compiled;
      return liveOf(revision, this.#set, compiled);
    } finally {
      this.#failure = undefined;
      this.#fresh = new Map();
      this.#next = new NextExperimentSet(this.#set);
    }
  }

  #drop(compiled: Compiled | undefined): void {
    if (compiled !== undefined) this.#next.drop(compiled.experiment);
  }
}

/**
 * Compiles experiments at once.
 *
 * @throws {Error} for an experiment that can't be compiled, or a control whose upstream is not there
 */
export function compileLive(
  { revision, experiments }: { revision: number; experiments: readonly ExperimentDocument[] },
  upstreams: ReadonlyMap<string, Destination>,
): Live {
  const compiled = new Map(experiments.map((one) => [one.key, compile(one, upstreams)]));
  const all = [...compiled.values()].map(({ experiment }) => experiment);
  return liveOf(revision, new NextExperimentSet().finish(all), compiled);
}

function liveOf(
  revision: number,
  set: ExperimentSet,
  compiled: ReadonlyMap<string, Compiled>,
): Live {
  const destinations = new Map([...compiled.values()].flatMap((one) => [...one.destinations]));
  const placesOf = (variant: Variant): VariantDestinations => {
    const places = destinations.get(variant);
    if (places === undefined)
      throw new Error(`Expected a variant that is live, got "${variant.key}"`);
    return places;
  };
  return {
    revision,
    set,
    definitions: byPriority([...compiled.values()].map(({ experiment }) => experiment.definition)),
    experiment: (key) => compiled.get(key)?.experiment,
    destinationOf: (variant) => placesOf(variant).assigned,
    destinationOutside: (variant) => placesOf(variant).outside,
  };
}

/** Control stands in for a variant whose upstream is not here: assigned is not served. */
function compile(
  document: ExperimentDocument,
  upstreams: ReadonlyMap<string, Destination>,
): Compiled {
  const experiment = compileExperiment(document);
  const { key, control, variants } = experiment;
  const ofControl = upstreams.get(control.upstream);
  if (ofControl === undefined) {
    throw new Error(`Expected an upstream of the configuration, got "${control.upstream}"`);
  }
  const destinations = variants.map((variant) => {
    const own = upstreams.get(variant.upstream);
    const { upstream, traffic } = own ?? ofControl;
    const serving = own === undefined ? control : variant;
    const places: VariantDestinations = {
      assigned: { upstream, traffic: { ...traffic, experiment: key, variant: serving.key } },
      outside: { upstream, traffic: { ...traffic, experiment: key } },
    };
    return [variant, places] as const;
  });
  return { experiment, destinations: new Map(destinations) };
}
