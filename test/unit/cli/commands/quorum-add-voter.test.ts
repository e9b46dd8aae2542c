import { expect, test } from 'vitest';
import { varveAtBroker } from '../at-broker.ts';

const { run } = await varveAtBroker();

test('a node that votes is told to be a voter', async () => {
  const done = { code: 0, stderr: '' };
  expect(await run(['quorum', 'add-voter', '1'])).toEqual({
    ...done,
    stdout: 'node 1 is a voter\n',
  });
  const { stdout } = await run(['quorum', 'add-voter', '1', '--json']);
  expect(JSON.parse(stdout)).toEqual({ nodeId: 1 });
});

test('what is no number of a node is wrong usage', async () => {
  expect((await run(['quorum', 'add-voter', 'seven'])).code).toBe(2);
  expect((await run(['quorum', 'add-voter'])).code).toBe(2);
});
