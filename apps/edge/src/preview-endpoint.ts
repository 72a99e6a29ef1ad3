import type { IncomingMessage } from 'node:http';
import type { RequestTraits } from '@turnout/router-core';
import type { Edge } from './edge.ts';
import type { EdgeExchange } from './exchange.ts';
import { NO_PREVIEW_COOKIE, previewCookie } from './previews.ts';

/**
 * `/_turnout/preview?token=…` begins a preview and opens its page, `/_turnout/preview?off` ends
 * it. The token says where the page is: a link that somebody else can write leads nowhere else.
 */
export function answerPreview(
  { testing, now }: Edge,
  exchange: EdgeExchange,
  request: IncomingMessage,
  traits: RequestTraits,
): void {
  const query = new URLSearchParams(/\?(.*)$/s.exec(request.url ?? '')?.[1] ?? '');
  if (query.has('off')) {
    exchange.redirect('/', NO_PREVIEW_COOKIE);
    return;
  }
  const token = query.get('token') ?? '';
  const preview = testing?.previews.read(token);
  if (preview === undefined) exchange.refuse(403, 'no valid preview token');
  else exchange.redirect(preview.path, previewCookie(token, preview, now(), traits.secure));
}
