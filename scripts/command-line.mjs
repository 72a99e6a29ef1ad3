// The command line of `npm start`, `npm run dev`, `npm test` and `npm run check`. Read twice:
// by the bootstrap, which must refuse a mistyped flag before it installs anything,
// and by the program that it then starts. So: plain JavaScript, no dependencies.

/**
 * @typedef {'start' | 'dev' | 'test' | 'check'} Command
 *
 * @typedef {object} CommandLine
 * @property {Command} command
 * @property {boolean} help
 * @property {boolean} services real Redis, MariaDB and PHP in place of the embedded ones
 * @property {boolean} yes install missing system programs without asking
 * @property {number} [port] public port
 * @property {number} [privatePort] port of metrics and health
 * @property {number} [workers] edge workers
 * @property {string[]} rest what is passed on (`test` only: to vitest)
 */

/** A command line that cannot be followed; the message says what would have been right. */
export class CommandLineError extends Error {}

/**
 * @typedef {object} Option
 * @property {string} name
 * @property {'flag' | 'port' | 'count'} kind
 * @property {string} about
 */

/** @type {Option[]} */
const stackOptions = [
  {
    name: 'services',
    kind: 'flag',
    about: 'use real redis-server, MariaDB or MySQL, and PHP in place of the embedded stores',
  },
  { name: 'port', kind: 'port', about: 'public port (8080; also TURNOUT_PORT)' },
  {
    name: 'private-port',
    kind: 'port',
    about: 'metrics and health (8090; also TURNOUT_PRIVATE_PORT)',
  },
  { name: 'workers', kind: 'count', about: 'edge workers (also TURNOUT_WORKERS)' },
];

/** @type {Option} */
const yesOption = {
  name: 'yes',
  kind: 'flag',
  about: 'install missing system programs without asking (Debian, as root)',
};

/** @type {Option} */
const helpOption = { name: 'help', kind: 'flag', about: 'show this' };

/** @type {Record<Command, { usage: string, about: string, options: Option[], passesOn: boolean }>} */
const commands = {
  start: {
    usage: 'npm start -- [options]',
    about: 'Installs, builds what changed and starts the whole stack behind one address.',
    options: [...stackOptions, yesOption, helpOption],
    passesOn: false,
  },
  dev: {
    usage: 'npm run dev -- [options]',
    about: 'The same stack with hot reload; the edge and the API restart when their code changes.',
    options: [...stackOptions, yesOption, helpOption],
    passesOn: false,
  },
  test: {
    usage: 'npm test -- [options] [vitest arguments]',
    about: 'Sets up what the tests need, builds, and runs every suite.',
    options: [yesOption, helpOption],
    passesOn: true,
  },
  check: {
    usage: 'npm run check -- [options]',
    about: 'Format, lint, types, build and every suite, all of them even if one fails.',
    options: [yesOption, helpOption],
    passesOn: false,
  },
};

/**
 * @param {readonly string[]} argv the command and its arguments
 * @returns {CommandLine}
 * @throws {CommandLineError}
 */
export function parseCommandLine(argv) {
  const [name = 'start', ...args] = argv;
  const command = commandNamed(name);
  const { options, passesOn } = commands[command];
  /** @type {CommandLine} */
  const parsed = { command, help: false, services: false, yes: false, rest: [] };

  for (let i = 0; i < args.length; i++) {
    const arg = String(args[i]);
    const [flag, inline] = splitOnce(arg === '-h' ? '--help' : arg, '=');
    const option = flag.startsWith('--')
      ? options.find((known) => `--${known.name}` === flag)
      : undefined;
    if (!option) {
      if (passesOn) {
        parsed.rest.push(arg);
        continue;
      }
      throw new CommandLineError(unknownArgument(command, flag));
    }
    if (option.kind === 'flag') {
      if (inline !== undefined) throw new CommandLineError(`--${option.name} takes no value.`);
      setFlag(parsed, option.name);
      continue;
    }
    const value = inline ?? args[++i];
    setNumber(parsed, option, value);
  }
  return parsed;
}

/**
 * `npm start --services`, without the `--` between, gives the flag to npm, which
 * only leaves it in the environment. Rather than start something else than was
 * asked for, say how to write it.
 *
 * @param {Command} command
 * @param {Readonly<Record<string, string | undefined>>} env
 * @returns {string | undefined} the message, if a flag of ours went to npm
 */
export function flagTakenByNpm(command, env) {
  for (const { name } of commands[command].options) {
    // `yes` is an option of npm itself.
    if (name === 'yes' || name === 'help') continue;
    if (env[`npm_config_${name.replaceAll('-', '_')}`] === undefined) continue;
    const run = command === 'start' || command === 'test' ? `npm ${command}` : `npm run ${command}`;
    return `npm took --${name} for itself. Put \`--\` before it: ${run} -- --${name}`;
  }
  return undefined;
}

/**
 * @param {Command} command
 * @returns {string}
 */
export function helpText(command) {
  const { usage, about, options } = commands[command];
  const left = options.map(
    ({ name, kind }) => `--${name}${kind === 'port' ? ' PORT' : kind === 'count' ? ' N' : ''}`,
  );
  const width = Math.max(...left.map((text) => text.length));
  const lines = options.map(({ about: text }, i) => `  ${String(left[i]).padEnd(width)}  ${text}`);
  const environment =
    command === 'start' || command === 'dev'
      ? '\n\nEnvironment: TURNOUT_DATA_DIR (.turnout), TURNOUT_PORT, TURNOUT_PRIVATE_PORT, TURNOUT_WORKERS,\n' +
        'TURNOUT_API_PORT, TURNOUT_REDIS_URL, TURNOUT_MYSQL_URL, TURNOUT_COOKIE_SECRETS;\n' +
        'TURNOUT_API_URL, TURNOUT_NEXT_URL, TURNOUT_VUE_URL, TURNOUT_WORDPRESS_URL: use a server\n' +
        'that already runs, and start none.'
      : '';
  return `${usage}\n\n${about}\n\n${lines.join('\n')}${environment}\n`;
}

/**
 * @param {string} name
 * @returns {Command}
 */
function commandNamed(name) {
  if (isCommand(name)) return name;
  throw new CommandLineError(
    `Expected one of ${Object.keys(commands).join(', ')}, got \`${name}\`.`,
  );
}

/**
 * @param {string} name
 * @returns {name is Command}
 */
function isCommand(name) {
  return Object.hasOwn(commands, name);
}

/**
 * @param {Command} command
 * @param {string} arg
 */
function unknownArgument(command, arg) {
  const { options, usage } = commands[command];
  if (!arg.startsWith('-')) return `Unexpected argument \`${arg}\`. Usage: ${usage}`;
  const names = options.map((option) => `--${option.name}`);
  const nearest = names.reduce((best, name) =>
    editDistance(arg, name) < editDistance(arg, best) ? name : best,
  );
  const hint =
    editDistance(arg, nearest) <= Math.max(2, nearest.length / 3)
      ? `Did you mean ${nearest}?`
      : `Known: ${names.join(', ')}.`;
  return `Unknown option ${arg}. ${hint}`;
}

/**
 * @param {CommandLine} parsed
 * @param {string} name
 */
function setFlag(parsed, name) {
  if (name === 'help') parsed.help = true;
  else if (name === 'services') parsed.services = true;
  else if (name === 'yes') parsed.yes = true;
}

/**
 * @param {CommandLine} parsed
 * @param {Option} option
 * @param {string | undefined} value
 */
function setNumber(parsed, option, value) {
  const most = option.kind === 'port' ? 65_535 : 256;
  if (value === undefined || !/^\d{1,5}$/.test(value) || Number(value) < 1 || Number(value) > most)
    throw new CommandLineError(
      `Expected --${option.name} to be a number from 1 to ${most}, got ${value === undefined ? 'nothing' : `\`${value}\``}.`,
    );
  if (option.name === 'port') parsed.port = Number(value);
  else if (option.name === 'private-port') parsed.privatePort = Number(value);
  else parsed.workers = Number(value);
}

/**
 * @param {string} text
 * @param {string} separator
 * @returns {[string, string | undefined]}
 */
function splitOnce(text, separator) {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

/**
 * Levenshtein distance, by one row at a time.
 *
 * @param {string} a
 * @param {string} b
 */
function editDistance(a, b) {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
