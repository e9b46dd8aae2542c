import { describe, expect, test } from 'vitest';
import { parseArguments, UsageError } from '../../../bench/arguments.ts';
import { scenarios } from '../../../bench/scenarios.ts';

const parse = (argv: string[]) => parseArguments(argv, '2026-11-21');
const namesOf = (argv: string[]) => parse(argv).scenarios.map(({ name }) => name);

describe('the arguments of the bench', () => {
  test('nothing given means all scenarios, no peers, ten seconds and no file', () => {
    expect(parse([]).scenarios).toBe(scenarios);
    expect(parse([])).toMatchObject({ peers: [], seconds: 10, measures: true, json: undefined });
    expect(parse([])).toMatchObject({ minutes: 120, list: false, aims: false, report: false });
  });

  test('scenarios may be named in lists and several times, and run once in the order of the table', () => {
    const argv = ['--scenario', 'startup,produce-1k', '--scenario', 'startup'];
    expect(namesOf(argv)).toEqual(['produce-1k', 'startup']);
  });

  test('a group stands for its scenarios', () => {
    expect(namesOf(['--scenario', 'restart'])).toEqual([
      'restart-clean',
      'restart-kill',
      'restart-scan',
      'restart-p1000',
    ]);
  });

  test('peers are a list or several options', () => {
    expect(parse(['--peers', 'nats,kafka']).peers).toEqual(['nats', 'kafka']);
    expect(parse(['--peers', 'kafka', '--peers', 'kafka']).peers).toEqual(['kafka']);
  });

  test('the aims bring the scenarios that they need, and the peers', () => {
    const given = parse(['--aims']);
    expect(given).toMatchObject({
      peers: ['varve-kafka', 'kafka', 'nats'],
      aims: true,
      measures: true,
    });
    const names = given.scenarios.map(({ name }) => name);
    expect(names).toContain('produce-p10');
    expect(names).toContain('door-fetch-100b');
    expect(names).not.toContain('produce-c50');
    expect(namesOf(['--aims', '--scenario', 'startup'])).toEqual(['startup']);
  });

  test('the full run is everything there is, kept in a file of the day', () => {
    const given = parse(['--full']);
    expect(given).toMatchObject({
      scenarios,
      peers: ['varve-kafka', 'kafka', 'nats'],
      aims: true,
      report: true,
    });
    expect(given.json).toMatch(/\/bench\/results\/2026-11-21\.jsonl$/);
  });

  test('a report by itself measures nothing', () => {
    expect(parse(['--report'])).toMatchObject({ report: true, measures: false });
    expect(parse(['--report', '--scenario', 'startup'])).toMatchObject({ measures: true });
  });

  test.each([
    [['--scenario', 'publish'], /unknown scenario 'publish'; there are: produce-100b, .*produce,/],
    [['--peers', 'kafka,redis'], /unknown peer 'redis'; there are: varve-kafka, kafka, nats/],
    [['--seconds', '0'], /--seconds is '0', not a number from 1 to 600/],
    [['--seconds', 'long'], /--seconds is 'long'/],
    [['--minutes', '0'], /--minutes is '0', not a number from 1 to 1440/],
    [['--fast'], /--fast/],
    [['produce-1k'], /produce-1k/],
  ])('%j is refused with what would be right', (argv, message) => {
    expect(() => parse(argv)).toThrow(UsageError);
    expect(() => parse(argv)).toThrow(message);
  });
});
