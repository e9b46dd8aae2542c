import { expect, test } from 'vitest';
import { varveAtBroker } from '../at-broker.ts';

const { run } = await varveAtBroker();

test('the members are shown with how far they are', async () => {
  const { code, stdout, stderr } = await run(['quorum', 'describe']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const [first, header, ...rows] = stdout.trimEnd().split('\n');
  expect(first).toMatch(/^leader 1, epoch 1, committed (\d+), applied \1$/);
  expect(header).toMatch(/^NODE +ROLE +MATCH +LAG +HEARD +DIRECTORY$/);
  expect(rows).toHaveLength(1);
  expect(rows[0]).toMatch(/^ +1 +voter +\d+ +0 +yes +\S+$/);
});

test('as JSON', async () => {
  const { stdout } = await run(['quorum', 'describe', '--json']);
  const quorum = JSON.parse(stdout);
  expect(quorum).toMatchObject({
    ...{ leaderId: 1, leaderEpoch: 1 },
    members: [{ nodeId: 1, role: 'voter', lag: 0, heardOf: true }],
  });
  expect(quorum.members[0].matchIndex).toBe(quorum.commitIndex);
  expect(quorum.appliedIndex).toBe(quorum.commitIndex);
});
