import { expect, test } from 'vitest';
import { varveAtBroker } from '../at-broker.ts';

const { broker, run } = await varveAtBroker();

test('the first and the next offset of every partition are shown', async () => {
  await run(['topic', 'create', 't', '--partitions', '2']);
  await run(['produce', 't', '--partition', '1'], { input: 'a\nb\nc\n' });
  await using client = await broker.connect();
  await client.admin().deleteRecords([{ topic: 't', partition: 1, beforeOffset: 2 }]);
  expect(await run(['offsets', 't'])).toEqual({
    code: 0,
    stdout: [
      'PARTITION  EARLIEST  LATEST',
      '        0         0       0',
      '        1         2       3',
      '',
    ].join('\n'),
    stderr: '',
  });
  const { stdout } = await run(['offsets', 't', '--json']);
  expect(stdout).toBe(
    '[{"partition":0,"earliest":0,"latest":0},{"partition":1,"earliest":2,"latest":3}]\n',
  );
});

test('a topic that is missing is not found', async () => {
  expect(await run(['offsets', 'no'])).toMatchObject({ code: 3, stdout: '' });
});
