import { describe, expect, test } from 'vitest';
import { CommandLineError, flagTakenByNpm, helpText, parseCommandLine } from './command-line.mjs';

describe('parseCommandLine', () => {
  test('reads flags and numbers, apart or joined by =', () => {
    expect(parseCommandLine(['start', '--services', '--port', '9000', '--workers=3'])).toEqual({
      command: 'start',
      help: false,
      services: true,
      yes: false,
      port: 9000,
      workers: 3,
      rest: [],
    });
  });

  test.each([
    [['start', '--servces'], 'Unknown option --servces. Did you mean --services?'],
    [['start', '--prot=1'], 'Unknown option --prot. Did you mean --port?'],
    [['start', '--xyz'], /^Unknown option --xyz\. Known: --services, --port/],
    [['start', '9000'], /^Unexpected argument `9000`/],
    [['start', '--services=no'], '--services takes no value.'],
    [['start', '--port'], 'Expected --port to be a number from 1 to 65535, got nothing.'],
    [['dev', '--port', '70000'], 'Expected --port to be a number from 1 to 65535, got `70000`.'],
    [['dev', '--workers', '-1'], 'Expected --workers to be a number from 1 to 256, got `-1`.'],
    [['stop'], 'Expected one of start, dev, test, check, got `stop`.'],
  ])('refuses %j', (argv, message) => {
    expect(() => parseCommandLine(argv)).toThrow(CommandLineError);
    expect(() => parseCommandLine(argv)).toThrow(message);
  });

  test('`test` passes on what is not its own', () => {
    const { yes, rest } = parseCommandLine([
      'test',
      '--yes',
      '--project',
      'unit',
      'packages/proxy',
    ]);
    expect(yes).toBe(true);
    expect(rest).toEqual(['--project', 'unit', 'packages/proxy']);
  });
});

test('a flag that went to npm is given back with how to write it', () => {
  expect(flagTakenByNpm('start', { npm_config_services: 'true' })).toBe(
    'npm took --services for itself. Put `--` before it: npm start -- --services',
  );
  expect(flagTakenByNpm('dev', { npm_config_private_port: '1' })).toContain(
    'npm run dev -- --private-port',
  );
  expect(flagTakenByNpm('start', { npm_config_yes: 'true', PATH: '/bin' })).toBeUndefined();
});

test('help names every option of the command', () => {
  expect(helpText('start')).toMatch(/--services .*--port PORT .*--workers N .*--yes .*--help /s);
  expect(helpText('test')).not.toContain('--services');
});
