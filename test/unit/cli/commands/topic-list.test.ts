import { expect, test } from 'vitest';
import { varveAtBroker } from '../at-broker.ts';

const { run } = await varveAtBroker();

test('topics are listed by name', async () => {
  expect((await run(['topic', 'list'])).stdout).toBe('NAME  PARTITIONS  ID\n');
  expect((await run(['topic', 'list', '--json'])).stdout).toBe('[]\n');
  await run(['topic', 'create', 'orders', '--partitions', '12']);
  await run(['topic', 'create', 'fruit', '--partitions', '3']);
  const { code, stdout } = await run(['topic', 'list']);
  expect(code).toBe(0);
  const lines = stdout.split('\n');
  expect(lines[1]).toMatch(/^fruit {12}3 {2}[\w-]{22}$/);
  expect(lines[2]).toMatch(/^orders {10}12 {2}[\w-]{22}$/);
  const topics = JSON.parse((await run(['topic', 'list', '--json'])).stdout);
  expect(topics).toMatchObject([
    { name: 'fruit', partitionCount: 3 },
    { name: 'orders', partitionCount: 12 },
  ]);
});
