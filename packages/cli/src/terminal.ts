import { createInterface } from 'node:readline/promises';
import { addAbortSignal } from 'node:stream';
import { text } from 'node:stream/consumers';
import { styleText } from 'node:util';

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow';

/** Where a command prints, and whom it asks. */
export interface Terminal {
  /** Columns of standard output; undefined where it is a file or a pipe, which have no edge. */
  readonly columns: number | undefined;
  /** Whether somebody is there to answer. */
  readonly isInteractive: boolean;
  /** Prints a line, or several, on standard output. */
  print(lines: string): void;
  /** Prints a line, or several, on standard error. */
  warn(lines: string): void;
  /** Coloured on a terminal that shows colours, and without NO_COLOR. */
  style(style: Style, words: string): string;
  /** Asks on the terminal, and gives the line that was typed. */
  ask(question: string): Promise<string>;
  /** All of standard input. */
  readInput(): Promise<string>;
  /** Shows how far long work is, on a line that the next one replaces; without words, removes it. */
  progress(words?: string): void;
}

/**
 * The terminal of this process. Questions go to standard error, so that standard output can
 * be piped.
 *
 * @param interrupt aborted by Ctrl-C, also while a question is open
 */
export function processTerminal(interrupt: AbortController): Terminal {
  const { stdin, stdout, stderr } = process;
  let isProgressShown = false;
  const clearProgress = () => {
    if (isProgressShown) stderr.write('\r\u001B[K');
    isProgressShown = false;
  };
  return {
    columns: stdout.isTTY ? stdout.columns : undefined,
    isInteractive: stdin.isTTY && stderr.isTTY,
    print: (lines) => {
      clearProgress();
      stdout.write(`${lines}\n`);
    },
    warn: (lines) => {
      clearProgress();
      stderr.write(`${lines}\n`);
    },
    style: (style, words) => styleText(style, words, { stream: stdout }),
    async ask(question) {
      clearProgress();
      const lines = createInterface({ input: stdin, output: stderr });
      // A terminal in raw mode sends Ctrl-C as a key, not as a signal.
      lines.once('SIGINT', () => interrupt.abort());
      // Ctrl-D closes the input without an answer.
      lines.once('close', () => closed.abort());
      const closed = new AbortController();
      try {
        return await lines.question(question, {
          signal: AbortSignal.any([interrupt.signal, closed.signal]),
        });
      } catch (error) {
        stderr.write('\n');
        if (interrupt.signal.aborted || !closed.signal.aborted) throw error;
        return '';
      } finally {
        lines.close();
      }
    },
    readInput: () => text(addAbortSignal(interrupt.signal, stdin)),
    progress(words) {
      if (!stderr.isTTY) return;
      clearProgress();
      if (words === undefined) return;
      stderr.write(words);
      isProgressShown = true;
    },
  };
}
