import { expect, test } from 'vitest';
import { RpcCode } from '../../../src/rpc/transport.ts';
import { openInProcess } from './in-process-world.ts';
import { connectOptions, handlers, listenOptions, Recorder, STREAM } from './transport-world.ts';

test('another instance is another network', async () => {
  const here = await openInProcess();
  const there = await openInProcess();
  const client = new Recorder();
  const address = here.address.replace('broker-1', 'broker-2');
  there.transport.connect(address, connectOptions).stream(STREAM, client);
  while (there.timers.turn());
  expect(client.closes).toEqual([
    {
      code: RpcCode.UNAVAILABLE,
      message: `nothing listens on ${address} in this process`,
      neverSent: true,
    },
  ]);
});

test('a channel finds a listener that came after it', async () => {
  const { timers, transport, address, streams } = await openInProcess();
  const channel = transport.connect('broker-9:1000', connectOptions);
  const service = handlers({ streams, contexts: [] });
  await transport.listen('broker-9:1000', service, listenOptions);
  channel.stream(STREAM, new Recorder());
  while (timers.turn());
  expect(streams).toHaveLength(1);
  expect(address).not.toBe('broker-9:1000');
});
