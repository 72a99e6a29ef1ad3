// Steps on screen: one line each, with its time. On a terminal the running step
// is shown and then replaced; elsewhere (CI, a pipe) only finished steps are
// written, so that logs hold no control characters.

/**
 * @typedef {object} Screen
 * @property {(text: string) => void} write
 * @property {boolean} isTerminal
 * @property {boolean} colour
 */

/**
 * @param {NodeJS.WriteStream} stream
 * @param {Readonly<Record<string, string | undefined>>} env
 * @returns {Screen}
 */
export function screenOn(stream, env) {
  const isTerminal = stream.isTTY && env.TERM !== 'dumb';
  return {
    write: (text) => {
      stream.write(text);
    },
    isTerminal,
    colour: isTerminal && !env.NO_COLOR,
  };
}

const styles = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 };

/**
 * @param {Screen} screen
 * @param {keyof typeof styles} style
 * @param {string} text
 */
export function styled(screen, style, text) {
  return screen.colour ? `\u001B[${styles[style]}m${text}\u001B[0m` : text;
}

/** @param {number} ms */
export function seconds(ms) {
  return `${(ms / 1000).toFixed(1)} s`;
}

/** The steps of one run, in the order in which they end. */
export class Progress {
  /** @type {Map<string, string>} what is under way, by name */
  #running = new Map();
  #pendingShown = false;
  #screen;

  /** @param {Screen} screen */
  constructor(screen) {
    this.#screen = screen;
  }

  /**
   * A step begins.
   *
   * @param {string} name
   * @param {string} [doing] what is shown meanwhile
   */
  begin(name, doing = name) {
    this.#running.set(name, doing);
    this.#showPending();
  }

  /**
   * A step is done.
   *
   * @param {string} name as given to `begin`
   * @param {number} ms how long it took
   * @param {string} [outcome] what is shown in place of the name
   */
  done(name, ms, outcome = name) {
    this.#running.delete(name);
    this.line(`${styled(this.#screen, 'green', '✓')} ${outcome.padEnd(46)} ${seconds(ms)}`);
  }

  /**
   * A step failed.
   *
   * @param {string} name as given to `begin`
   * @param {string} outcome
   */
  failed(name, outcome) {
    this.#running.delete(name);
    this.line(`${styled(this.#screen, 'red', '✗')} ${outcome}`);
  }

  /** @param {string} text a line of its own, above what is under way */
  line(text) {
    this.#erasePending();
    this.#screen.write(`${text}\n`);
    this.#showPending();
  }

  #showPending() {
    if (!this.#screen.isTerminal || this.#running.size === 0) return;
    this.#erasePending();
    const text = [...this.#running.values()].join(', ');
    this.#screen.write(styled(this.#screen, 'dim', `… ${text}`));
    this.#pendingShown = true;
  }

  #erasePending() {
    if (!this.#pendingShown) return;
    this.#screen.write('\r\u001B[K');
    this.#pendingShown = false;
  }
}
