import { describe, expect, test } from 'vitest';
import { NodeTimers } from '../../../src/env/node-timers.ts';
import { InProcessTransport } from '../../../src/rpc/in-process-transport.ts';
import { callContract } from './call-contract.ts';
import { openInProcess } from './in-process-world.ts';
import { streamContract } from './stream-contract.ts';
import { handlers, listenOptions } from './transport-world.ts';

describe('the in-process transport', () => {
  const makeTransport = (onUnexpectedError: (error: unknown) => void) =>
    new InProcessTransport({ onUnexpectedError }, new NodeTimers({ keepProcess: false }));
  callContract(makeTransport);
  streamContract(makeTransport);
});

test('port 0 picks one that is free, and an address in use is refused', async () => {
  const { transport, address } = await openInProcess();
  const service = handlers({ streams: [], contexts: [] });
  const second = await transport.listen('broker-1:0', service, listenOptions);
  expect(second.address).not.toBe(address);
  await expect(transport.listen(address, service, listenOptions)).rejects.toThrow(
    `cannot listen on ${address}: it is in use`,
  );
  await second.close(0);
  const third = await transport.listen(second.address, service, listenOptions);
  expect(third.address).toBe(second.address);
});
