import { describe, expect, test } from 'vitest';
import { UsageError } from '../../../../bench/arguments.ts';
import { parseProfileArguments } from '../../../../bench/profile/arguments.ts';

describe('the arguments of the profile', () => {
  test('a scenario is enough: the broker, its first mode, ten seconds', () => {
    expect(parseProfileArguments(['produce-1k'])).toMatchObject({
      scenario: { name: 'produce-1k' },
      mode: 'fsync',
      of: 'broker',
      seconds: 10,
      out: undefined,
    });
  });

  test('each can be given', () => {
    const argv = ['produce-1k', '--of', 'client', '--mode', 'no-fsync', '--seconds', '3'];
    const given = parseProfileArguments([...argv, '--top', '5', '--out', 'x']);
    expect(given).toMatchObject({ mode: 'no-fsync', of: 'client', seconds: 3, top: 5, out: 'x' });
  });

  test.each([
    [[], /name one scenario/],
    [['produce-1k', 'startup'], /name one scenario/],
    [['produce'], /unknown scenario 'produce'; there are: produce-100b, /],
    [['startup', '--mode', 'fsync'], /--mode is 'fsync', not one of: default/],
    [['startup', '--of', 'disk'], /--of is 'disk', not one of: broker, client/],
    [['startup', '--seconds', '0'], /--seconds is '0'/],
    [['startup', '--fast'], /--fast/],
  ])('%j is refused with what would be right', (argv, message) => {
    expect(() => parseProfileArguments(argv)).toThrow(UsageError);
    expect(() => parseProfileArguments(argv)).toThrow(message);
  });
});
