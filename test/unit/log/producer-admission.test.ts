import { describe, expect, it } from 'vitest';
import { admitBatches } from '../../../src/log/producer-admission.ts';
import { ProducerStates } from '../../../src/log/producer-states.ts';
import { offset, producerId } from '../../../src/model/ids.ts';
import { BatchView } from '../../../src/records/batch-view.ts';
import { buildTransactionMarker } from '../../../src/records/control-batch.ts';
import { makeBatch } from './log-world.ts';

const view = (id: number, baseSequence: number, count = 2): BatchView =>
  new BatchView(makeBatch({ count, producer: { id: producerId(id), epoch: 0, baseSequence } }), 0);

const marker = (producerEpoch: number): BatchView =>
  new BatchView(
    buildTransactionMarker({
      type: 'commit',
      producerId: producerId(1),
      producerEpoch,
      coordinatorEpoch: 3,
      timestampMs: 1000,
    }),
    0,
  );

describe('the admission of batches', () => {
  it('takes in all of an append, in order', () => {
    const states = new ProducerStates(10);
    const plain = new BatchView(makeBatch({ count: 5 }), 0);
    const batches = [view(1, 0), plain, view(1, 2), view(2, 0)];
    expect(admitBatches(states, batches, offset(10), 1)).toBe(null);
    const [first, second] = states.get(producerId(1))!.batches;
    expect(first).toMatchObject({ firstOffset: 10, lastOffset: 11 });
    expect(second).toMatchObject({ firstOffset: 17, lastOffset: 18 });
  });

  it('takes in nothing if one batch is refused', () => {
    const states = new ProducerStates(10);
    const refused = admitBatches(states, [view(1, 0), view(1, 9)], offset(0), 1);
    expect(refused).toMatchObject({ row: { name: 'OUT_OF_ORDER_SEQUENCE_NUMBER' } });
    expect(states.size).toBe(0);
  });

  it('finds an append that is repeated as a whole, with its offsets of then', () => {
    const states = new ProducerStates(10);
    admitBatches(states, [view(1, 0), view(1, 2)], offset(10), 1);
    const repeated = admitBatches(states, [view(1, 0), view(1, 2)], offset(20), 1);
    expect(repeated).toMatchObject({ first: { firstOffset: 10 }, last: { lastOffset: 13 } });
  });

  it('refuses an append that is repeated in part, and takes in nothing', () => {
    const states = new ProducerStates(10);
    admitBatches(states, [view(1, 0)], offset(10), 1);
    const mixed = admitBatches(states, [view(1, 0), view(1, 2)], offset(20), 1);
    expect(mixed).toMatchObject({ row: { name: 'OUT_OF_ORDER_SEQUENCE_NUMBER' } });
    expect(states.get(producerId(1))?.batches.length).toBe(1);
  });

  it('takes a marker that ends a transaction, and fences one of an older producer epoch', () => {
    const states = new ProducerStates(10);
    expect(admitBatches(states, [marker(4)], offset(0), 1)).toBe(null);
    expect(states.get(producerId(1))).toMatchObject({ epoch: 4, coordinatorEpoch: 3 });
    expect(admitBatches(states, [marker(3)], offset(1), 1)).toMatchObject({
      row: { name: 'INVALID_PRODUCER_EPOCH' },
    });
  });
});
