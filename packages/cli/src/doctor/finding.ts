/** What a check has to say of one thing: that it is as it should be, or what to do about it. */
export type Finding = Fine | Trouble;

export interface Fine {
  readonly level: 'ok';
  /** The thing that was looked at: an upstream, a page, a key of the configuration. */
  readonly where: string;
  readonly got: string;
}

export interface Trouble {
  /** An error breaks the site or the experiment; a warning may, or costs something. */
  readonly level: 'warning' | 'error';
  readonly where: string;
  readonly expected: string;
  readonly got: string;
  /** What to change. */
  readonly fix: string;
}

type Told = Omit<Trouble, 'level'>;

export function ok(where: string, got: string): Fine {
  return { level: 'ok', where, got };
}

export function warning(told: Told): Trouble {
  return { level: 'warning', ...told };
}

export function error(told: Told): Trouble {
  return { level: 'error', ...told };
}

/** The first few of a list, and how many more there are. */
export function some(items: readonly string[], limit = 3): string {
  const shown = items.slice(0, limit).join(', ');
  return items.length > limit ? `${shown} and ${items.length - limit} more` : shown;
}
