import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { readPage } from './page-document.ts';
import { styleSheetUrls } from './style-sheet.ts';

const ADDRESS = new URL('https://shop.example/plans/1');

function referencesOf(html: string): [kind: string, at: string, url: string][] {
  return readPage(html, ADDRESS).references.map(({ kind, at, url }) => [kind, at, url.href]);
}

test('addresses are resolved against the page, and after a base against that', () => {
  expect(referencesOf('<a href=2>Next</a><base href="/_mfe/"><img src="a.png">')).toEqual([
    ['address', 'a href', 'https://shop.example/plans/2'],
    ['address', 'base href', 'https://shop.example/_mfe/'],
    ['asset', 'img src', 'https://shop.example/_mfe/a.png'],
  ]);
});

test('links are told apart by what they are for', () => {
  const links = ['canonical', 'stylesheet', 'shortcut icon', 'preload', 'alternate'].map(
    (rel) => `<link rel="${rel}" href="/x">`,
  );
  expect(referencesOf(links.join('')).map(([kind]) => kind)).toEqual([
    'canonical',
    'style',
    'asset',
    'asset',
    'address',
  ]);
});

test('data, mail and script addresses are none, and neither is what is empty or broken', () => {
  const hrefs = ['data:,x', 'mailto:a@b', 'javascript:void 0', '', 'http://[', 'http://a:b:c'];
  expect(referencesOf(hrefs.map((href) => `<a href="${href}"></a>`).join(''))).toEqual([]);
});

test('scripts in the page are read, data blocks are not', () => {
  const html =
    '<script>let a = "<b>";</script><script type="application/ld+json">{}</script>' +
    '<script type="module">import "x";</script><script src="/a.js">ignored</script>';
  expect(readPage(html, ADDRESS).inlineScripts).toEqual(['let a = "<b>";', 'import "x";']);
});

test('no bytes of a page make it throw', () => {
  const piece = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom(
      '<',
      '>',
      '"',
      "'",
      '<!--',
      '<script>',
      '</script>',
      '<style>',
      '<img srcset="',
      '<p style="',
      '<link rel=',
      '<base href=',
      'url(',
      '&#x0;',
      '\0',
    ),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
      expect(readPage(pieces.join(''), ADDRESS).references).toBeInstanceOf(Array);
    }),
  );
});

test('style sheets: url(…) quoted or not, imports, and nothing out of comments and strings', () => {
  const css = `
    @import "a.css"; @import url(b.css) print;
    p { background: url( c.png ), image-set("no.png" 1x); content: "url(no)"; }
    /* url(no) */ @font-face { src: url('d\\.woff2') format("woff2") }
  `;
  expect(styleSheetUrls(css)).toEqual(['a.css', 'b.css', 'c.png', 'd.woff2']);
});
