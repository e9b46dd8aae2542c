import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Fifo } from '../../../src/client/fifo.ts';

test('a queue behaves as an array does', () => {
  const step = fc.oneof(fc.constant('shift' as const), fc.constant('remove' as const), fc.nat(9));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const fifo = new Fifo<number>();
      let model: number[] = [];
      for (const one of steps) {
        if (one === 'shift') expect(fifo.shift()).toBe(model.shift());
        else if (one === 'remove') {
          fifo.remove((item) => item % 2 === 0);
          model = model.filter((item) => item % 2 !== 0);
        } else {
          fifo.push(one);
          model.push(one);
        }
        expect([fifo.size, fifo.peek(), fifo.toArray()]).toEqual([model.length, model[0], model]);
      }
    }),
  );
});
