import { expect, test } from 'vitest';
import { RpcCode } from '../../../src/rpc/transport.ts';
import { openInProcess } from './in-process-world.ts';
import { bytes, connectOptions, Recorder, STREAM } from './transport-world.ts';

test('everything happens in turns, and the same turns give the same events', async () => {
  const run = async (): Promise<string[]> => {
    const { timers, transport, address, streams } = await openInProcess();
    const client = new Recorder();
    const stream = transport.connect(address, connectOptions).stream(STREAM, client);
    const trace: string[] = [];
    for (let turn = 0; turn < 30; turn++) {
      stream.send(bytes(turn));
      if (turn % 3 === 0) streams[0]?.stream.send(bytes(turn));
      if (turn % 7 === 0) stream.pause();
      if (turn % 7 === 3) stream.resume();
      if (turn === 20) streams[0]?.stream.end();
      trace.push(`${client.told.length} ${streams[0]?.told.length ?? '-'}`);
      timers.turn();
    }
    while (timers.turn());
    return [...trace, ...client.told, '|', ...(streams[0]?.told ?? [])];
  };
  const trace = await run();
  expect(trace).toEqual(await run());
  expect(trace.at(-1)).toBe('close');
});

test('what a server sends before it fails arrives before the status', async () => {
  const { timers, transport, address, streams } = await openInProcess();
  const client = new Recorder();
  transport.connect(address, connectOptions).stream(STREAM, client);
  while (timers.turn());
  streams[0]!.stream.send(bytes(1));
  streams[0]!.stream.send(bytes(2));
  streams[0]!.stream.fail({ code: RpcCode.ABORTED, message: 'no more' });
  while (timers.turn());
  expect(client.told).toEqual(['message', 'message', 'close']);
  expect(client.closes).toEqual([{ code: RpcCode.ABORTED, message: 'no more' }]);
});

test('a message is handed over, not copied', async () => {
  const { timers, transport, address, streams } = await openInProcess();
  const stream = transport.connect(address, connectOptions).stream(STREAM, new Recorder());
  const message = bytes(1, 2, 3);
  stream.send(message);
  while (timers.turn());
  expect(streams[0]!.messages[0]).toBe(message);
});
