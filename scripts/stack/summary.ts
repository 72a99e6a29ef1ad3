// What is said when the stack is up: where it is, how to see each variant, where to look.

import path from 'node:path';
import { seconds, styled, type Screen } from '../progress.mjs';
import type { DataFolder } from './data-folder.ts';
import type { Upstreams } from './services.ts';
import type { Settings } from './settings.ts';

export function summary(
  { config, mode }: Settings,
  folder: DataFolder,
  upstreams: Upstreams,
  ms: number,
  screen: Screen,
): string {
  const address = `http://localhost:${config.public.port}`;
  const password = path.join(folder.path, 'wordpress-admin.json');
  const rows: [string, string][] = [
    [
      'Open',
      `${styled(screen, 'bold', `${address}/`)}   each new visitor gets a variant: open private windows`,
    ],
    ['Variants', `${address}/next/   ${address}/vue/   ${address}/wordpress/   (not counted)`],
    ['WordPress', `${address}/wp-admin/   user admin, password in ${password}`],
    ['Metrics', `http://127.0.0.1:${config.private.port}/metrics`],
    ['Logs', `${folder.logs}/`],
  ];
  if (!upstreams.ports.has('wordpress')) rows.splice(2, 1);
  const lines = rows.map(
    ([label, text]) => `  ${styled(screen, 'cyan', label.padEnd(10))} ${text}`,
  );
  const reload = mode === 'development' ? ' Edits show on reload or at once.' : '';
  return `\nReady in ${seconds(ms)}.${reload}\n\n${lines.join('\n')}\n\n  Ctrl-C stops it all.`;
}
