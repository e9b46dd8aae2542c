import { expect, test } from 'vitest';
import { varveAtBroker } from '../at-broker.ts';

const { broker, run } = await varveAtBroker();

test('the cluster is shown with its controller and brokers', async () => {
  const { code, stdout, stderr } = await run(['cluster', 'describe']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const [first, header, row] = stdout.trimEnd().split('\n');
  expect(first).toMatch(/^cluster \S+, controller 1$/);
  expect(header!.split(/ +/)).toEqual(['BROKER', 'ADDRESS', 'RACK']);
  expect(row!.trim().split(/ +/)).toEqual(['1', broker.address]);
});

test('as JSON', async () => {
  const { stdout } = await run(['cluster', 'describe', '--json']);
  const [host, port] = broker.address.split(':');
  expect(JSON.parse(stdout)).toEqual({
    ...{ clusterId: expect.stringMatching(/./), controllerId: 1 },
    brokers: [{ nodeId: 1, host, port: Number(port), rack: '' }],
  });
});
