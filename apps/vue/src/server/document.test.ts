import { expect, test } from 'vitest';
import type { RenderedPage } from '../entry-server.ts';
import { documentHtml, scriptJson } from './document.ts';

const page: RenderedPage = {
  meta: { status: 200, title: 'A "B" <C> & D', description: '"><script>' },
  canonicalPath: '/plans/a&b',
  html: "<p>$& $' $1</p>",
  state: { base: '/', shop: { plans: null, posted: null } },
};

test('state leaves its script element by no text, and reads back the same', () => {
  const state = { text: '</script><!--<script>\u2028\u2029&"' };
  const json = scriptJson(state);
  expect(json).not.toMatch(/[<\u2028\u2029]/);
  expect(JSON.parse(json)).toEqual(state);
});

test('a document has the page as it is, and escapes what goes into its head', () => {
  const template = '<head><!--head--></head><div id="app"><!--app--></div><!--state-->';
  expect(documentHtml(template, page)).toBe(
    '<head><title>A &quot;B&quot; &lt;C&gt; &amp; D</title>' +
      '<meta name="description" content="&quot;&gt;&lt;script&gt;">' +
      '<link rel="canonical" href="/plans/a&amp;b"></head>' +
      `<div id="app"><p>$& $' $1</p></div>` +
      '<script type="application/json" id="state">{"base":"/","shop":{"plans":null,"posted":null}}</script>',
  );
});

test('a page that is not found has no canonical address', () => {
  expect(documentHtml('<!--head-->', { ...page, canonicalPath: null })).not.toContain('canonical');
});
