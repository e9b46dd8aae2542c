import { describe, expect, test } from 'vitest';
import { MutantError, mutated, parseMutant, withSeed } from '../../mutants/mutant.ts';

const TEXT = `bug: The sum is a difference.
file: src/model/sum.ts
suite: codec
seed: 7

find:
  return a + b;
  // both
replace:
  return a - b;
`;

describe('the text of a mutant', () => {
  test('says what is changed, where, and who sees it', () => {
    expect(parseMutant('model/sum', TEXT)).toEqual({
      name: 'model/sum',
      bug: 'The sum is a difference.',
      file: 'src/model/sum.ts',
      suite: 'codec',
      seed: 7,
      find: '  return a + b;\n  // both',
      replace: '  return a - b;',
    });
  });

  test('may put nothing in the place, and may have no seed yet', () => {
    const text = TEXT.replace('seed: 7\n', '').replace('  return a - b;', '');
    expect(parseMutant('model/sum', text)).toMatchObject({ seed: null, replace: '' });
  });

  test.each([
    ['no bug', TEXT.replace('bug: ', 'bog: '), 'bug'],
    ['no replacement', TEXT.replace('replace:', ''), 'replace'],
    ['a seed that is no number', TEXT.replace('seed: 7', 'seed: x'), 'seed'],
    ['no change', TEXT.replace('a - b;', 'a + b;\n  // both'), 'changes nothing'],
  ])('is refused with %s', (_, text, message) => {
    expect(() => parseMutant('model/sum', text)).toThrow(MutantError);
    expect(() => parseMutant('model/sum', text)).toThrow(message);
  });

  test('takes another seed, or its first, and is the same otherwise', () => {
    const changed = withSeed(TEXT, 12);
    expect(changed).toBe(TEXT.replace('seed: 7', 'seed: 12'));
    expect(withSeed(TEXT.replace('seed: 7\n', ''), 7)).toBe(TEXT);
  });
});

describe('a mutant', () => {
  const mutant = parseMutant('model/sum', TEXT);

  test('changes its one place and nothing else', () => {
    const source = 'f() {\n  return a + b;\n  // both\n}\n';
    expect(mutated(mutant, source)).toBe('f() {\n  return a - b;\n}\n');
  });

  test.each([
    ['no place', 'return 1;'],
    ['two places', '  return a + b;\n  // both\n'.repeat(2)],
  ])('with %s is an error that names it', (_, source) => {
    expect(() => mutated(mutant, source)).toThrow(/model\/sum.*src\/model\/sum\.ts/s);
  });
});
