import { Parser } from 'htmlparser2';
import { parseSrcset } from 'srcset';
import { styleSheetUrls } from './style-sheet.ts';

/** What a page says of other addresses, and the scripts that it holds. */
export interface PageDocument {
  /** In the order of the page. */
  readonly references: readonly Reference[];
  readonly inlineScripts: readonly string[];
}

/**
 * - `asset`: what the browser loads to show the page
 * - `script`, `style`: assets that hold code, and addresses of their own
 * - `canonical`: the page's own address, for search engines
 * - `address`: where the page leads, or what it is known as
 */
type ReferenceKind = 'asset' | 'script' | 'style' | 'canonical' | 'address';

export interface Reference {
  readonly kind: ReferenceKind;
  /** Where it stands: `img srcset`. */
  readonly at: string;
  /** Resolved against the page, or its `<base>`. */
  readonly url: URL;
}

type Attributes = Readonly<Record<string, string>>;

/** Attributes of elements that hold one address each. */
const ADDRESSES: Readonly<Record<string, readonly (readonly [string, ReferenceKind])[]>> = {
  a: [['href', 'address']],
  area: [['href', 'address']],
  base: [['href', 'address']],
  form: [['action', 'address']],
  button: [['formaction', 'address']],
  iframe: [['src', 'address']],
  script: [['src', 'script']],
  img: [['src', 'asset']],
  source: [['src', 'asset']],
  track: [['src', 'asset']],
  audio: [['src', 'asset']],
  embed: [['src', 'asset']],
  object: [['data', 'asset']],
  video: [
    ['src', 'asset'],
    ['poster', 'asset'],
  ],
  input: [
    ['src', 'asset'],
    ['formaction', 'address'],
  ],
  image: [
    ['href', 'asset'],
    ['xlink:href', 'asset'],
  ],
  use: [
    ['href', 'asset'],
    ['xlink:href', 'asset'],
  ],
};

/** Properties of `<meta>` that hold an address: Open Graph, Twitter cards. */
const META_ADDRESS = /^(og:url|(og|twitter):(image|video|audio|player)(:(url|secure_url|src))?)$/;
const LOADED_LINK = /\b(icon|preload|modulepreload|prefetch|manifest|apple-touch-icon)\b/;
const JAVASCRIPT = /^(module|text\/javascript|application\/javascript|)$/;

/**
 * Reads a page.
 *
 * @param html as the upstream sent it
 * @param address where a visitor finds it
 */
export function readPage(html: string, address: URL): PageDocument {
  const references: Reference[] = [];
  const inlineScripts: string[] = [];
  let base = address;
  /** The element whose text is being read, if it is one that we read. */
  let reading: { readonly name: 'script' | 'style'; text: string } | undefined;

  const refer = (kind: ReferenceKind, at: string, value: string): void => {
    const url = URL.parse(value.trim(), base.href);
    if (url !== null && /^https?:$/.test(url.protocol)) references.push({ kind, at, url });
  };
  const referAll = (at: string, values: readonly string[]): void =>
    values.forEach((value) => refer('asset', at, value));

  const parser = new Parser({
    onopentag(name, attributes: Attributes) {
      for (const [attribute, kind] of ADDRESSES[name] ?? []) {
        const value = attributes[attribute];
        if (value !== undefined && value !== '') refer(kind, `${name} ${attribute}`, value);
      }
      if (name === 'base') base = URL.parse(attributes['href'] ?? '', address.href) ?? base;
      if (name === 'link') readLink(attributes, refer);
      if (name === 'meta' && META_ADDRESS.test(metaName(attributes))) {
        refer('address', metaName(attributes), attributes['content'] ?? '');
      }
      for (const attribute of ['srcset', 'imagesrcset']) {
        const set = attributes[attribute];
        if (set === undefined) continue;
        referAll(
          `${name} ${attribute}`,
          parseSrcset(set).map(({ url }) => url),
        );
      }
      const { style } = attributes;
      if (style !== undefined) referAll(`${name} style`, styleSheetUrls(style));
      const isScript =
        name === 'script' &&
        attributes['src'] === undefined &&
        JAVASCRIPT.test((attributes['type'] ?? '').trim().toLowerCase());
      if (isScript || name === 'style') reading = { name: isScript ? 'script' : 'style', text: '' };
    },
    ontext(text) {
      if (reading !== undefined) reading.text += text;
    },
    onclosetag(name) {
      if (reading === undefined || reading.name !== name) return;
      if (name === 'script') inlineScripts.push(reading.text);
      else referAll('style', styleSheetUrls(reading.text));
      reading = undefined;
    },
  });
  parser.end(html);
  return { references, inlineScripts };
}

function readLink(
  { rel = '', href }: Attributes,
  refer: (kind: ReferenceKind, at: string, value: string) => void,
): void {
  if (href === undefined || href === '') return;
  const relations = rel.toLowerCase();
  const kind = /\bcanonical\b/.test(relations)
    ? 'canonical'
    : /\bstylesheet\b/.test(relations)
      ? 'style'
      : LOADED_LINK.test(relations)
        ? 'asset'
        : 'address';
  refer(kind, `link rel=${rel}`, href);
}

function metaName({ property, name }: Attributes): string {
  return (property ?? name ?? '').toLowerCase();
}
