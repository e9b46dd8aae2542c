import { expect, test } from 'vitest';
import { checkTopicName } from '../../../src/controller/topic-name.ts';
import { Errors } from '../../../src/model/errors.ts';

test('the names that Kafka allows are allowed', () => {
  for (const name of ['a', 'A.b_c-9', '...', '_', '-', '0', 'x'.repeat(249), '__proto__']) {
    expect(checkTopicName(name), name).toBeNull();
  }
});

test('the names that Kafka refuses are refused, and it is said what is wrong', () => {
  const refused: [string, string][] = [
    ['', 'cannot be empty'],
    ['.', 'cannot be named "."'],
    ['..', 'cannot be named ".."'],
    ['x'.repeat(250), 'has 250 characters, at most 249'],
    ['a b', '"a b" has characters other than'],
    ['a/b', '"a/b"'],
    ['a\nb', '"a\\nb"'],
    ['a\n', '"a\\n"'],
    ['ä', '"ä"'],
    ['a\0', 'characters other than'],
  ];
  for (const [name, detail] of refused) {
    expect(checkTopicName(name), name).toMatchObject({
      row: Errors.INVALID_TOPIC_EXCEPTION,
      detail: expect.stringContaining(detail),
    });
  }
});
