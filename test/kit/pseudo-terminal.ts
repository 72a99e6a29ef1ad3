import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { CLI, cleanEnv } from './edge-process.ts';

/** What somebody does when a text shows on the terminal. */
export type Answer = readonly [shown: string, typed: string];

export const CTRL_C = '\u0003';

/**
 * Runs `turnout` to its end on a pseudo-terminal, which `script` of util-linux makes, and
 * types an answer each time the text before it has shown.
 *
 * @returns everything that the terminal showed, and the exit code
 */
export async function runOnTerminal(
  args: readonly string[],
  answers: readonly Answer[],
  { cwd, columns = 200 }: { readonly cwd: string; readonly columns?: number },
): Promise<{ code: number | null; shown: string }> {
  const command = [process.execPath, CLI, ...args].map(quoted).join(' ');
  const child = spawn(
    'script',
    ['-qec', `stty cols ${columns} -echo; exec ${command}`, '/dev/null'],
    { cwd, env: { ...cleanEnv(), TERM: 'xterm' }, stdio: ['pipe', 'pipe', 'inherit'] },
  );
  const waiting = [...answers];
  let shown = '';
  let seen = 0;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    shown += text;
    const [next] = waiting;
    if (next === undefined) return;
    const found = shown.indexOf(next[0], seen);
    if (found === -1) return;
    seen = found + next[0].length;
    waiting.shift();
    child.stdin.write(next[1]);
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), 30_000);
  await once(child, 'close');
  clearTimeout(timer);
  return { code: child.exitCode, shown };
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
