import { expect, test } from 'vitest';
import { ConnectionWorld } from '../connection-world.ts';

const question = {
  transactionalId: null,
  transactionTimeoutMs: 0,
  producerId: 5,
  producerEpoch: 7,
};

test('every version gives an id that nobody had before', async () => {
  const world = await ConnectionWorld.open();
  const ids = new Set<unknown>();
  for (let version = 0; version <= 5; version++) {
    const answer = await world.ask('InitProducerId', version, question);
    expect(answer).toMatchObject({ errorCode: 0, producerEpoch: 0 });
    ids.add(answer['producerId']);
  }
  expect(ids.size).toBe(6);
});

test('there are no transactions', async () => {
  const world = await ConnectionWorld.open();
  const transactional = { ...question, transactionalId: 'x' };
  expect(await world.ask('InitProducerId', 4, transactional)).toMatchObject({
    errorCode: 42,
    producerId: -1,
  });
});
