import { describe, expect, it } from 'vitest';
import {
  type ProducerBatch,
  ProducerStates,
  sequenceBefore,
} from '../../../src/log/producer-states.ts';
import { offset, producerId } from '../../../src/model/ids.ts';

const id = producerId(7);

interface Sent {
  readonly epoch?: number;
  readonly sequence: number;
  readonly count?: number;
  readonly isTransactional?: boolean;
}

const batch = ({
  epoch = 0,
  sequence,
  count = 1,
  isTransactional = false,
}: Sent): ProducerBatch => ({
  producerId: id,
  producerEpoch: epoch,
  baseSequence: sequence,
  lastSequence: (sequence + count - 1) % 2 ** 31,
  maxTimestamp: 1000,
  isTransactional,
});

/** States after these batches, one after another from offset 0. */
function statesAfter(...sent: readonly Sent[]): ProducerStates {
  const states = new ProducerStates(10);
  let at = 0;
  for (const each of sent) {
    const last = at + (each.count ?? 1) - 1;
    states.append(batch(each), offset(at), offset(last), 5000);
    at = last + 1;
  }
  return states;
}

const verdict = (states: ProducerStates, sent: Sent) => {
  const found = states.check(batch(sent));
  return found === null ? 'append' : 'row' in found ? found.row.name : found.firstOffset;
};

describe('producer states', () => {
  it('take the next sequence, and refuse a gap', () => {
    const states = statesAfter({ sequence: 0, count: 3 });
    expect(verdict(states, { sequence: 3 })).toBe('append');
    expect(verdict(states, { sequence: 4 })).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER');
  });

  it('recognise the last five batches, and refuse an older repetition as Kafka does', () => {
    const states = statesAfter(...[0, 1, 2, 3, 4, 5].map((n) => ({ sequence: n * 2, count: 2 })));
    for (let n = 1; n <= 5; n++) {
      expect(verdict(states, { sequence: n * 2, count: 2 })).toBe(n * 2);
    }
    expect(verdict(states, { sequence: 0, count: 2 })).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER');
  });

  it('do not take part of a batch for a repetition', () => {
    const states = statesAfter({ sequence: 0, count: 4 });
    expect(verdict(states, { sequence: 0, count: 2 })).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER');
  });

  it('fence an older producer epoch, and want a newer one to begin with 0', () => {
    const states = statesAfter({ epoch: 3, sequence: 9 });
    expect(verdict(states, { epoch: 2, sequence: 10 })).toBe('INVALID_PRODUCER_EPOCH');
    expect(verdict(states, { epoch: 4, sequence: 1 })).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER');
    expect(verdict(states, { epoch: 4, sequence: 0 })).toBe('append');
  });

  it('do not answer a sequence of a new epoch with the batch of the old one', () => {
    const states = statesAfter({ epoch: 0, sequence: 0 }, { epoch: 1, sequence: 0 });
    expect(states.get(id)?.batches.length).toBe(1);
    expect(verdict(states, { epoch: 1, sequence: 0 })).toBe(1);
  });

  it('take any sequence of a producer that they do not know', () => {
    expect(verdict(new ProducerStates(10), { sequence: 123 })).toBe('append');
  });

  it('follow a sequence that wraps after 2^31-1', () => {
    const states = statesAfter({ sequence: 2 ** 31 - 2, count: 2 });
    expect(verdict(states, { sequence: 0 })).toBe('append');
    expect(verdict(statesAfter({ sequence: 2 ** 31 - 1, count: 3 }), { sequence: 2 })).toBe(
      'append',
    );
    expect(sequenceBefore(1, 3)).toBe(2 ** 31 - 2);
    expect(sequenceBefore(5, 3)).toBe(2);
  });

  it('refuse more producers than they may remember, until some have expired', () => {
    const states = new ProducerStates(1);
    states.append(batch({ sequence: 0 }), offset(0), offset(0), 5000);
    const other = { ...batch({ sequence: 0 }), producerId: producerId(8) };
    expect(states.check(other)).toMatchObject({ row: { name: 'BROKER_OVERLOADED' } });
    states.expire(5001);
    expect(states.check(other)).toBe(null);
  });

  it('expire a producer by when it was last appended for, but not with an open transaction', () => {
    const states = statesAfter({ sequence: 0, isTransactional: true });
    states.expire(6000);
    expect(states.get(id)?.currentTxnFirstOffset).toBe(0);
    states.appendMarker({ producerId: id, producerEpoch: 0 }, 4, 5500);
    expect(states.get(id)).toMatchObject({ currentTxnFirstOffset: -1, coordinatorEpoch: 4 });
    states.expire(5500);
    expect(states.size).toBe(1);
    states.expire(5501);
    expect(states.size).toBe(0);
  });

  it('refuse a batch outside a transaction while one is open', () => {
    const states = statesAfter({ sequence: 0, isTransactional: true });
    expect(verdict(states, { sequence: 1 })).toBe('INVALID_TXN_STATE');
    expect(verdict(states, { sequence: 1, isTransactional: true })).toBe('append');
  });

  it('are put back as they were', () => {
    const states = statesAfter({ sequence: 0 });
    const copies = states.copyOf([id, producerId(8)]);
    states.append(batch({ sequence: 1 }), offset(1), offset(1), 9000);
    const other = { ...batch({ sequence: 0 }), producerId: producerId(8) };
    states.append(other, offset(2), offset(2), 9000);
    states.rollBack(copies);
    expect(states.size).toBe(1);
    expect(states.get(id)).toMatchObject({ lastAppendMs: 5000, batches: { length: 1 } });
  });
});
