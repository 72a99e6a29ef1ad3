import { describe, expect, test } from 'vitest';
import { ConfigError } from './config-error.ts';
import { readExperiments } from './read-experiments.ts';

const ONE = `key: home
status: running
variants:
  - { key: control, upstream: site, weight: 50, control: true }
  - { key: A, upstream: site, weight: 50 }
`;
const indent = (text: string) => text.trimEnd().replaceAll('\n', '\n    ');
const LIST = `- ${indent(ONE).replaceAll('\n    ', '\n  ')}\n`;
const NESTED = `experiments:\n  - ${indent(ONE)}\n`;
const WHOLE = `upstreams: { site: { url: "http://127.0.0.1:3000" } }\ndefault: site\n${NESTED}`;

function problems(source: string): readonly string[] {
  try {
    readExperiments(source, 'x.yaml');
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe('the experiments of a file', () => {
  test.each([
    ['one experiment', ONE],
    ['a list', LIST],
    ['a mapping of experiments', NESTED],
    ['a whole configuration', WHOLE],
    ['JSON', JSON.stringify(readExperiments(ONE, 'x.yaml').experiments)],
  ])('%s', (_, source) => {
    const { experiments } = readExperiments(source, 'x.yaml');
    expect(experiments.map(({ key, coverage }) => [key, coverage])).toEqual([['home', 10_000]]);
  });

  test('a revision counts only where it is written down', () => {
    expect(readExperiments(ONE, 'x.yaml').revisions).toEqual({});
    expect(readExperiments(`revision: 7\n${ONE}`, 'x.yaml').revisions).toEqual({ home: 7 });
    const whole = WHOLE.replace('key: home', 'key: home\n    revision: 3');
    expect(readExperiments(whole, 'x.yaml').revisions).toEqual({ home: 3 });
  });
});

describe('every problem is told with its line', () => {
  test('in one experiment', () => {
    expect(
      problems(ONE.replace('running', 'runing').replace('weight: 50 }', 'weight: 40 }')),
    ).toEqual([expect.stringMatching(/^x\.yaml:2:9: status: Invalid option: expected one of/)]);
    expect(problems(ONE.replace('weight: 50 }', 'weight: 40 }'))).toEqual([
      'x.yaml:4:3: variants: weights must add up to 100, got 50 + 40 = 90',
    ]);
  });

  test('in a list', () => {
    expect(problems(`${LIST}${LIST}`)).toEqual([
      'x.yaml:6:8: [1].key: experiment "home" is there twice',
    ]);
    expect(problems(LIST.replace('key: home', 'key: Home'))[0]).toMatch(
      /^x\.yaml:1:8: \[0\]\.key: expected lower-case/,
    );
  });

  test('in a configuration, its own too', () => {
    expect(problems(WHOLE.replace('default: site', 'default: sight'))).toEqual([
      'x.yaml:2:10: default: no upstream "sight"; there are: site',
    ]);
  });

  test('beside experiments nothing else is known', () => {
    expect(problems(`${NESTED}expriments: []\n`)).toEqual(['x.yaml:7:13: expriments: unknown key']);
  });

  test.each(['', 'text', '12'])('%j holds none', (source) => {
    expect(problems(source)).toEqual([
      'x.yaml: expected an experiment, a list of experiments, or a whole turnout.yaml',
    ]);
  });
});
