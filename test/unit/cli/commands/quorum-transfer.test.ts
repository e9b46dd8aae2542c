import { expect, test } from 'vitest';
import { varveAtBroker } from '../at-broker.ts';

const { run } = await varveAtBroker();

test('the leader goes on leading if it is asked to', async () => {
  const { code, stdout } = await run(['quorum', 'transfer', '1']);
  expect({ code, stdout }).toEqual({ code: 0, stdout: 'node 1 leads the quorum\n' });
  expect(JSON.parse((await run(['quorum', 'transfer', '1', '--json'])).stdout)).toEqual({
    nodeId: 1,
  });
});

test('who is no voter cannot lead', async () => {
  const { code, stderr } = await run(['quorum', 'transfer', '7']);
  expect(code).toBe(3);
  expect(stderr).toContain('node 7 is no voter of the metadata quorum');
});
