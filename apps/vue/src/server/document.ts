import type { RenderedPage } from '../entry-server.ts';

/** Fills the built `index.html` with one rendered page. */
export function documentHtml(template: string, page: RenderedPage): string {
  const { meta, canonicalPath, html, state } = page;
  const head = [
    `<title>${escapeHtml(meta.title)}</title>`,
    `<meta name="description" content="${escapeHtml(meta.description)}">`,
    // The same page is to be had under /vue/ and, at another variant's hands, at the same path.
    canonicalPath !== null ? `<link rel="canonical" href="${escapeHtml(canonicalPath)}">` : '',
  ].join('');
  // Replacers are functions: in a replacement string, `$&` from the API's texts would be a pattern.
  return template
    .replace('<!--head-->', () => head)
    .replace('<!--app-->', () => html)
    .replace(
      '<!--state-->',
      () => `<script type="application/json" id="state">${scriptJson(state)}</script>`,
    );
}

/**
 * JSON that cannot leave its script element: with `<` escaped there is no `</script>` and
 * no `<!--`. U+2028 and U+2029 end a line in JavaScript that is older than ES2019.
 */
export function scriptJson(value: unknown): string {
  return JSON.stringify(value).replaceAll(
    /[<\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
