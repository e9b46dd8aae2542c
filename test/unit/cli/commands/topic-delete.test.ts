import { expect, test } from 'vitest';
import { varveAtBroker } from '../at-broker.ts';

const { run } = await varveAtBroker();

test('topics are deleted, and those that are missing told', async () => {
  for (const name of ['a', 'b', 'c']) await run(['topic', 'create', name]);
  expect(await run(['topic', 'delete', 'a'])).toEqual({
    code: 0,
    stdout: 'deleted a\n',
    stderr: '',
  });
  const { code, stdout, stderr } = await run(['topic', 'delete', 'b', 'a', '--json']);
  expect({ code, stdout }).toEqual({ code: 3, stdout: '[{"name":"b"}]\n' });
  expect(stderr).toMatch(/^varve: [^\n]*"a"[^\n]*\n$/);
  const left = JSON.parse((await run(['topic', 'list', '--json'])).stdout);
  expect(left).toMatchObject([{ name: 'c' }]);
});
