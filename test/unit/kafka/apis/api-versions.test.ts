import { expect, test } from 'vitest';
import { servedApis } from '../../../../src/kafka/api-table.ts';
import { framed, requestHeader } from '../../../support/kafka-requests.ts';
import { ConnectionWorld } from '../connection-world.ts';

const KEY = 18;
const question = { clientSoftwareName: 'apache-kafka-java', clientSoftwareVersion: '4.3.1' };

test('every version names every API with the versions that are said to be served', async () => {
  const world = await ConnectionWorld.open();
  for (const version of [0, 1, 2, 3, 4]) {
    expect(await world.ask('ApiVersions', version, question)).toMatchObject({
      errorCode: 0,
      apiKeys: servedApis.map(({ key, advertised: { first, last } }) => ({
        apiKey: key,
        minVersion: first,
        maxVersion: last,
      })),
    });
  }
});

test('an unknown version is answered in version 0, with what there is of it', async () => {
  const world = await ConnectionWorld.open();
  for (const version of [5, 32_767, -1]) {
    const header = requestHeader({ key: KEY, flexible: { first: 3, last: 9 } }, 0, 9);
    header.writeInt16BE(version, 2);
    // Nothing is known of how it goes on.
    await world.send(framed(header, Buffer.from('ffffffffff', 'hex')));
    expect(world.wire.frames.pop()?.toString('hex')).toBe(
      '00000010' + '00000009' + '0023' + '00000001' + '0012' + '0000' + '0004',
    );
  }
  expect(world.wire.end).toBe('open');
});

test('the header of its answer is never flexible', async () => {
  const world = await ConnectionWorld.open();
  await world.ask('ApiVersions', 4, question);
  const frame = world.wire.frames[0]!;
  expect(frame.subarray(4, 10).toString('hex')).toBe('0000004d' + '0000');
  // A compact array: one more than there are.
  expect(frame[10]).toBe(servedApis.length + 1);
});

test.each([
  ['', '1.0'],
  ['a', ''],
  ['a b', '1.0'],
  ['-a', '1.0'],
  ['a', '1.0-'],
])('a client that calls itself "%s", "%s" is refused', async (name, version) => {
  const world = await ConnectionWorld.open();
  const told = { clientSoftwareName: name, clientSoftwareVersion: version };
  expect(await world.ask('ApiVersions', 3, told)).toMatchObject({ errorCode: 42, apiKeys: [] });
});
