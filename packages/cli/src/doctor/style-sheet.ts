import {
  TokenType,
  isTokenAtKeyword,
  isTokenFunction,
  isTokenString,
  isTokenURL,
  tokenize,
  type CSSToken,
} from '@csstools/css-tokenizer';

/** The addresses that a style sheet, or a `style` attribute, loads: `url(…)` and `@import`. */
export function styleSheetUrls(css: string): string[] {
  const tokens = tokenize({ css }).filter(([type]) => type !== TokenType.Whitespace);
  return tokens.flatMap((token, index) => {
    if (isTokenURL(token)) return [token[4].value];
    const next: CSSToken | undefined = tokens[index + 1];
    if (!namesUrl(token) || next === undefined || !isTokenString(next)) return [];
    return [next[4].value];
  });
}

/** Tokens before a string that is an address. */
function namesUrl(token: CSSToken): boolean {
  if (isTokenFunction(token)) return token[4].value.toLowerCase() === 'url';
  return isTokenAtKeyword(token) && token[4].value.toLowerCase() === 'import';
}
