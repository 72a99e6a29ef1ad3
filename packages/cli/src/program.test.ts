import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import type { Context } from './context.ts';
import { createProgram } from './program.ts';

/** The program in a world without a terminal; what it would print is kept. */
function program(): { root: Command; printed: string[] } {
  const printed: string[] = [];
  const context: Context = {
    env: {},
    terminal: {
      columns: undefined,
      isInteractive: false,
      print: (lines) => printed.push(lines),
      warn: (lines) => printed.push(lines),
      style: (_, words) => words,
      ask: () => Promise.reject(new Error('Nobody is there to ask.')),
      readInput: () => Promise.resolve(''),
      progress: () => undefined,
    },
    signal: new AbortController().signal,
  };
  const root = createProgram(context);
  for (const command of [root, ...root.commands]) {
    command.configureOutput({ writeErr: (text) => printed.push(text) });
  }
  return { root, printed };
}

describe('every command', () => {
  test.each(program().root.commands.map((command) => [command.name(), command] as const))(
    '%s says what it does and shows examples',
    (name, command) => {
      expect(command.description()).toMatch(/\.$/);
      let help = '';
      command.configureOutput({ writeOut: (text) => (help += text) });
      command.outputHelp();
      expect(help).toMatch(name === 'serve' ? /smallest configuration/ : /\nExamples:\n {2}# /);
    },
  );
});

describe('docs/cli.md', () => {
  const text = readFileSync(new URL('../../../docs/cli.md', import.meta.url), 'utf8');
  const [shared = '', ...sections] = text.split(/^## `/m);
  const { commands } = program().root;
  const longOf = (name: string) => commands.find((one) => one.name() === name)?.options ?? [];
  const sharedFlags = new Set(shared.match(/--[a-z][a-z-]*/g));

  test('has a section for each command, and no other', () => {
    const named = sections.map((section) => /^turnout ([a-z]+)`/.exec(section)?.[1] ?? '');
    expect(named.toSorted()).toEqual(commands.map((command) => command.name()).toSorted());
  });

  test.each(sections.map((section) => [/^turnout ([a-z]+)/.exec(section)?.[1] ?? '', section]))(
    '%s: names every option, and none that is not there',
    (name, section) => {
      const told = new Set(section.match(/(?<=[\s`(])--[a-z][a-z-]*/g));
      const there = new Set(longOf(name).flatMap(({ long }) => long ?? []));
      expect([...there].filter((flag) => !told.has(flag) && !sharedFlags.has(flag))).toEqual([]);
      expect([...told].filter((flag) => !there.has(flag))).toEqual([]);
    },
  );
});

describe('what can not be meant is refused before anybody is asked', () => {
  test.each([
    [['gte'], "unknown command 'gte'"],
    [['get', '--jsn'], "unknown option '--jsn'"],
    [['pause'], "missing required argument 'key'"],
    [['apply'], "required option '-f, --file <file>' not specified"],
    [['allocate', 'home', 'A:20'], 'Expected VARIANT=PERCENT such as A=20'],
    [['allocate', 'home', 'A=100', '--meaning', 'all'], 'Allowed choices are new-visitors'],
    [['revert', 'home', '--to', 'x'], 'Expected a revision, a number from 1, got "x".'],
    [['ramp', 'home'], 'Expected steps such as'],
    [['ramp', 'home', '100%', '--status'], 'Expected steps such as'],
    [['ramp', 'home', '--stop', '--status'], "'--status' cannot be used with option '--stop'"],
    [['ramp', 'home', '100%', '--error-rate', 'few'], 'Expected a number, got "few".'],
    [['preview', 'home', 'A', '--for', 'long'], 'Expected a length of time such as 30m'],
    [['explain', '/', '--header', 'none'], "Expected a header such as 'Accept-Language: de'"],
    [['completion', 'cmd'], 'Allowed choices are bash, zsh, fish'],
  ])('%j', async (args, message) => {
    const { root, printed } = program();
    const refused = await root
      .parseAsync(args, { from: 'user' })
      .then(() => 'nothing')
      .catch((error: unknown) => String(error));
    expect([refused, ...printed].join('\n')).toContain(message);
    expect(refused).not.toBe('nothing');
  });
});
