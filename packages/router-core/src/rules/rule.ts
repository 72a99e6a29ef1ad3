import {
  compileHosts,
  compilePathGlob,
  literalPath,
  literalPrefix,
  normaliseHost,
} from '../path-match.ts';
import { BOT_CLASSES, DEVICES } from './definition.ts';
import {
  BOT,
  COUNTRY,
  DEVICE,
  HOST,
  LANGUAGE,
  METHOD,
  PATH,
  cookieLook,
  headerLook,
  queryLook,
} from './look.ts';
import type { Look } from './look.ts';
import type { Place } from './problem.ts';
import { ANY_TEXT, regexTexts, wildcardTexts } from './text-test.ts';
import type { TextSet } from './text-test.ts';

/** A predicate, read and checked. */
export type Rule =
  /** One of these texts is there. */
  | { readonly kind: 'sees'; readonly look: Look; readonly texts: TextSet }
  | { readonly kind: 'not'; readonly part: Rule }
  | { readonly kind: 'all'; readonly parts: readonly Rule[] }
  | { readonly kind: 'any'; readonly parts: readonly Rule[] };

// The words are those of the schema in packages/contracts, so that a problem which both find
// is told once.
const PREDICATE =
  'expected one predicate: path, host, method, header, cookie, query, language, device, ' +
  'country, bot, not, all or any';
const PATH_PATTERN =
  'expected a path such as /plans/**, or { exact }, { prefix }, { glob } or { regex }';
const HOST_NAME = 'expected a host name such as "example.com" or "*.example.com"';
const METHOD_NAME = 'expected a method in capitals, such as GET';
const HEADER_NAME = 'expected a header name such as CF-IPCountry';
const LANGUAGE_TAG = 'expected a language such as de or de-AT';
const DEVICE_NAME = 'expected mobile, tablet, desktop or other';
const COUNTRY_CODE = 'expected a country as two capitals, such as DE';
const BOT_CLASS = 'expected true, false, none, search, ai, tool or other';
const TEXT_PATTERN = 'expected a text, { glob } or { regex }';
const BEGINS_WITH_SLASH = 'expected a path that begins with "/"';
const NOT_EMPTY = 'expected a text that is not empty';
const AT_LEAST_ONE = 'expected at least one predicate';

type Read = (value: unknown, place: Place) => Rule | undefined;

const READERS: Readonly<Record<string, Read>> = {
  path: (value, place) => sees(PATH, readPath(value, place)),
  host: (value, place) => sees(HOST, readTexts(value, place, HOST_NAME, isNotEmpty, hostTexts)),
  method: (value, place) =>
    sees(
      METHOD,
      readTexts(value, place, METHOD_NAME, (text) => /^[A-Z]+$/.test(text)),
    ),
  header: (value, place) =>
    readNamed(value, place, (name) => {
      if (!/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/.test(name)) {
        return place.at('name').expected(HEADER_NAME, name);
      }
      return headerLook(name.toLowerCase());
    }),
  cookie: (value, place) => readNamed(value, place, cookieLook),
  query: (value, place) => readNamed(value, place, queryLook),
  language: (value, place) =>
    sees(
      LANGUAGE,
      readTexts(value, place, LANGUAGE_TAG, isLanguage, (tag) => exactly(tag.toLowerCase())),
    ),
  device: (value, place) =>
    sees(
      DEVICE,
      readTexts(value, place, DEVICE_NAME, (text) => isOneOf(DEVICES, text)),
    ),
  country: (value, place) =>
    sees(
      COUNTRY,
      readTexts(value, place, COUNTRY_CODE, (text) => /^[A-Z]{2}$/.test(text)),
    ),
  bot: (value, place) => {
    if (value === false) return sees(BOT, exactly('none'));
    if (value === true) {
      return sees(BOT, exactly(...BOT_CLASSES.filter((botClass) => botClass !== 'none')));
    }
    return sees(
      BOT,
      readTexts(value, place, BOT_CLASS, (text) => isOneOf(BOT_CLASSES, text)),
    );
  },
  not: (value, place) => {
    const part = readRule(value, place);
    return part && { kind: 'not', part };
  },
  all: (value, place) => readParts('all', value, place),
  any: (value, place) => readParts('any', value, place),
};

/** Reads a predicate, checked whole: nothing is taken on trust from whoever wrote it. */
export function readRule(definition: unknown, place: Place): Rule | undefined {
  const [entry, another] = entriesOf(definition) ?? [];
  const read = entry && Object.hasOwn(READERS, entry[0]) ? READERS[entry[0]] : undefined;
  if (entry === undefined || another !== undefined || read === undefined) {
    return place.expected(PREDICATE, definition);
  }
  const [kind, value] = entry;
  return read(value, place.at(kind));
}

function readParts(kind: 'all' | 'any', value: unknown, place: Place): Rule | undefined {
  if (!Array.isArray(value)) return place.expectedType('array', value);
  if (value.length === 0) return place.refuse(AT_LEAST_ONE);
  const parts = value.map((part: unknown, index) => readRule(part, place.at(index)));
  return { kind, parts: parts.filter((part) => part !== undefined) };
}

function sees(look: Look, texts: TextSet | undefined): Rule | undefined {
  return texts && { kind: 'sees', look, texts };
}

function readPath(value: unknown, place: Place): TextSet | undefined {
  if (typeof value === 'string') {
    if (!value.startsWith('/')) return place.expected(BEGINS_WITH_SLASH, value);
    return place.attempt(() => globTexts(value));
  }
  const [entry, another] = entriesOf(value) ?? [];
  if (entry === undefined || another !== undefined) return place.expected(PATH_PATTERN, value);
  const [kind, text] = entry;
  const inside = place.at(kind);
  if (kind === 'regex') return readRegex(text, inside);
  const read = PATH_KINDS.get(kind);
  if (read === undefined) return place.expected(PATH_PATTERN, value);
  if (typeof text !== 'string') return inside.expectedType('string', text);
  if (!text.startsWith('/')) return inside.expected(BEGINS_WITH_SLASH, text);
  return inside.attempt(() => read(text));
}

const PATH_KINDS: ReadonlyMap<string, (text: string) => TextSet> = new Map([
  ['exact', (text: string) => exactly(literalPath(text))],
  ['prefix', (text: string) => prefixTexts(literalPrefix(text))],
  ['glob', globTexts],
]);

function globTexts(glob: string): TextSet {
  const matches = compilePathGlob(glob);
  return glob.includes('*') ? { exact: [], patterns: [matches] } : exactly(literalPath(glob));
}

function prefixTexts(prefix: string): TextSet {
  return { exact: [], patterns: [(path) => path.startsWith(prefix)] };
}

function hostTexts(name: string): TextSet {
  const matches = compileHosts([name]);
  return name.startsWith('*.') ? { exact: [], patterns: [matches] } : exactly(normaliseHost(name));
}

function readNamed(
  value: unknown,
  place: Place,
  look: (name: string) => Look | undefined,
): Rule | undefined {
  const entries = entriesOf(value);
  if (entries === undefined) return place.expectedType('object', value);
  for (const [key] of entries) {
    if (key !== 'name' && key !== 'value') place.at(key).refuse('unknown key');
  }
  const { name, value: text } = Object.fromEntries(entries);
  const texts = text === undefined ? ANY_TEXT : readTextPattern(text, place.at('value'));
  if (typeof name !== 'string') return place.at('name').expectedType('string', name);
  if (name === '') return place.at('name').expected(NOT_EMPTY, name);
  const found = look(name);
  return found && sees(found, texts);
}

function readTextPattern(value: unknown, place: Place): TextSet | undefined {
  if (typeof value === 'string') return exactly(value);
  const [entry, another] = entriesOf(value) ?? [];
  if (entry === undefined || another !== undefined) return place.expected(TEXT_PATTERN, value);
  const [kind, text] = entry;
  if (kind === 'regex') return readRegex(text, place.at(kind));
  if (kind !== 'glob') return place.expected(TEXT_PATTERN, value);
  if (typeof text !== 'string') return place.at(kind).expectedType('string', text);
  return text === '' ? place.at(kind).expected(NOT_EMPTY, text) : wildcardTexts(text);
}

function readRegex(text: unknown, place: Place): TextSet | undefined {
  if (typeof text !== 'string') return place.expectedType('string', text);
  return text === '' ? place.expected(NOT_EMPTY, text) : place.attempt(() => regexTexts(text));
}

/** One text or a list of them. */
function readTexts(
  value: unknown,
  place: Place,
  expected: string,
  isTaken: (text: string) => boolean,
  texts: (text: string) => TextSet = exactly,
): TextSet | undefined {
  const isList = Array.isArray(value);
  const items: readonly unknown[] = isList ? value : [value];
  if (items.length === 0) return place.refuse(expected);
  const sets = items.map((item, index) => {
    const at = isList ? place.at(index) : place;
    if (typeof item !== 'string' || !isTaken(item)) return at.expected(expected, item);
    return at.attempt(() => texts(item));
  });
  const read = sets.filter((set) => set !== undefined);
  return {
    exact: read.flatMap(({ exact }) => exact),
    patterns: read.flatMap(({ patterns }) => patterns),
  };
}

function exactly(...exact: readonly string[]): TextSet {
  return { exact, patterns: [] };
}

function isLanguage(text: string): boolean {
  return /^[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*$/.test(text);
}

function isNotEmpty(text: string): boolean {
  return text !== '';
}

function isOneOf(names: readonly string[], text: string): boolean {
  return names.includes(text);
}

function entriesOf(value: unknown): readonly (readonly [string, unknown])[] | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return Object.entries(value);
}
