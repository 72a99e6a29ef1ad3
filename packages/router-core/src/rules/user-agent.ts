import { getParser } from 'bowser';
import crawlers from 'crawler-user-agents';
import { isbot } from 'isbot';
import { LRUCache } from 'lru-cache';
import type { BotClass, Device } from './definition.ts';

/**
 * What a client says of itself. Anyone can say anything: good for analysis and for rules that
 * someone chose to write, never for what a visitor may see.
 */

/** Longer ones are read up to here: neither memory nor time is theirs to spend. */
const MAX_LENGTH = 512;
/** User agents that are remembered. Browsers send few, scanners many. */
const REMEMBERED = 2_000;

/** The device that a user agent names. */
export const deviceOf: (userAgent: string) => Device = remembering((userAgent) => {
  // The platform alone: the parser skips what else it could find out.
  const { type } = getParser(userAgent, true).parsePlatform();
  return type === 'mobile' || type === 'tablet' || type === 'desktop' ? type : 'other';
}, 'other');

/** The class of bot that a user agent says it is. */
export const botClassOf: (userAgent: string) => BotClass = remembering((userAgent) => {
  if (!isbot(userAgent)) return 'none';
  return CLASSES.find(({ pattern }) => pattern.test(userAgent))?.botClass ?? 'other';
}, 'none');

/** The first that matches counts: who answers questions from an index of its own is `ai`. */
const CLASSES: readonly { botClass: BotClass; pattern: RegExp }[] = [
  { botClass: 'ai', pattern: tagged('ai-crawler') },
  { botClass: 'search', pattern: tagged('search-engine') },
  {
    botClass: 'tool',
    pattern: tagged('http-library', 'browser-automation', 'monitoring', 'scanner'),
  },
];

/** Its own types leave out the tags. */
interface Crawler {
  readonly pattern: string;
  readonly tags?: readonly string[];
}

/** One pattern for all crawlers with one of these tags. */
function tagged(...wanted: readonly string[]): RegExp {
  const known: readonly Crawler[] = crawlers;
  const patterns = known
    .filter(({ tags = [] }) => tags.some((tag) => wanted.includes(tag)))
    .map(({ pattern }) => `(?:${pattern})`);
  return new RegExp(patterns.join('|'));
}

function remembering<Found extends string>(
  find: (userAgent: string) => Found,
  ofNone: Found,
): (userAgent: string) => Found {
  const known = new LRUCache<string, Found>({ max: REMEMBERED });
  return (userAgent) => {
    if (userAgent === '') return ofNone;
    const key = userAgent.slice(0, MAX_LENGTH);
    let found = known.get(key);
    if (found === undefined) {
      found = find(key);
      known.set(key, found);
    }
    return found;
  };
}
