import { describe, expect, test } from 'vitest';
import { parseArguments, UsageError } from '../../../bench/arguments.ts';

const namesOf = (argv: string[]) => parseArguments(argv).scenarios.map(({ name }) => name);

describe('the arguments of the bench', () => {
  test('nothing given means all scenarios, no peers, ten seconds and no file', () => {
    expect(namesOf([])).toEqual(['produce-100b', 'produce-1k', 'fetch-1k', 'latency', 'startup']);
    expect(parseArguments([])).toMatchObject({ peers: [], seconds: 10, list: false });
    expect(parseArguments([]).json).toBeUndefined();
  });

  test('scenarios may be named several times and run once, in the order of the table', () => {
    const argv = ['--scenario', 'startup', '--scenario', 'produce-1k', '--scenario', 'startup'];
    expect(namesOf(argv)).toEqual(['produce-1k', 'startup']);
  });

  test('peers are a list or several options', () => {
    expect(parseArguments(['--peers', 'nats,kafka']).peers).toEqual(['nats', 'kafka']);
    expect(parseArguments(['--peers', 'kafka', '--peers', 'kafka']).peers).toEqual(['kafka']);
  });

  test.each([
    [['--scenario', 'produce'], /unknown scenario 'produce'; there are: produce-100b, /],
    [['--peers', 'kafka,redis'], /unknown peer 'redis'; there are: kafka, nats/],
    [['--seconds', '0'], /--seconds is '0', not a number from 1 to 600/],
    [['--seconds', 'long'], /--seconds is 'long'/],
    [['--fast'], /--fast/],
    [['produce-1k'], /produce-1k/],
  ])('%j is refused with what would be right', (argv, message) => {
    expect(() => parseArguments(argv)).toThrow(UsageError);
    expect(() => parseArguments(argv)).toThrow(message);
  });
});
