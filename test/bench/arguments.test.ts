import { expect, test } from 'vitest';
import { parseArguments, UsageError } from './arguments.ts';

test('everything is measured unless something is named', () => {
  expect(parseArguments([])).toEqual({
    rounds: 6,
    duration: 2,
    connections: 64,
    scenarios: ['returning', 'first'],
    contenders: ['turnout', 'http-proxy-3', 'direct'],
    json: undefined,
  });
});

test('reads every option', () => {
  const line =
    '--rounds 3 --duration=4 --connections 8 --scenario first --only direct --only turnout --only direct --json out.json';
  expect(parseArguments(line.split(' '))).toEqual({
    rounds: 3,
    duration: 4,
    connections: 8,
    scenarios: ['first'],
    contenders: ['direct', 'turnout'],
    json: 'out.json',
  });
  expect(parseArguments(['--help'])).toBe('help');
});

test.each([
  [['--round', '3'], "Unknown option '--round'"],
  [['3'], "Unexpected argument '3'"],
  [['--rounds'], 'argument missing'],
  [['--rounds', '0'], 'Expected --rounds to be a whole number from 1 to 1000, got "0"'],
  [['--duration', '1.5'], 'got "1.5"'],
  [['--connections', '1e2'], 'got "1e2"'],
  [['--scenario', 'second'], 'Expected --scenario to be one of returning, first, got "second"'],
  [['--only', 'nginx'], 'one of turnout, http-proxy-3, direct, got "nginx"'],
])('refuses %j', (args, message) => {
  expect(() => parseArguments(args)).toThrow(UsageError);
  expect(() => parseArguments(args)).toThrow(message);
});
