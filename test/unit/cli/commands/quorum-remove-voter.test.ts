import { expect, test } from 'vitest';
import { varveAtBroker } from '../at-broker.ts';

const { run } = await varveAtBroker();

test('the last voter stays, also by force', async () => {
  for (const force of [[], ['--force']]) {
    const { code, stdout, stderr } = await run(['quorum', 'remove-voter', '1', ...force]);
    expect({ code, stdout }).toEqual({ code: 4, stdout: '' });
    expect(stderr).toContain('node 1 is the last voter of the metadata quorum');
  }
});

test('a node that is no member is not found', async () => {
  const { code, stderr } = await run(['quorum', 'remove-voter', '7']);
  expect(code).toBe(3);
  expect(stderr).toMatch(/^varve: .*node 7 is no member of the metadata quorum/);
});
