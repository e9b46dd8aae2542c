import { expect, test } from 'vitest';
import { AcknowledgementReport } from '../../../src/cli/acknowledgement-report.ts';
import { Output } from '../../../src/cli/output.ts';
import { NodeTimers } from '../../../src/env/node-timers.ts';
import { BrokenPipe, Captured } from './run-varve.ts';

function report(stream: Captured) {
  const told: [lines: number, bytes: number][] = [];
  const errors: unknown[] = [];
  const { promise: done, resolve } = Promise.withResolvers<void>();
  const subject = new AcknowledgementReport(
    new NodeTimers({ keepProcess: false }),
    new Output(stream),
    {
      onTold: (lines, bytes) => {
        told.push([lines, bytes]);
        resolve();
      },
      onError: (error) => errors.push(error),
    },
  );
  return { subject, told, errors, done };
}

test('what is acknowledged in one turn is one write', async () => {
  const stream = new Captured();
  const { subject, told, done } = report(stream);
  subject.add({ line: 1, partition: 0, offset: 7 }, 10);
  subject.add({ line: 3, partition: 2, offset: 9 }, 5);
  await done;
  expect(stream.chunks).toHaveLength(1);
  expect(stream.text).toBe(
    '{"line":1,"partition":0,"offset":7}\n{"line":3,"partition":2,"offset":9}\n',
  );
  expect(told).toEqual([[2, 15]]);
});

test('what is added during a write follows in the next', async () => {
  class Refilling extends Captured {
    override _write(chunk: Buffer, encoding: string, done: (error?: Error) => void): void {
      if (this.chunks.length === 0) subject.add({ line: 2, partition: 0, offset: 1 }, 3);
      super._write(chunk, encoding, done);
    }
  }
  const stream = new Refilling();
  const { subject, told } = report(stream);
  subject.add({ line: 1, partition: 0, offset: 0 }, 2);
  await stream.until('"line":2');
  await new Promise(setImmediate);
  expect(told).toEqual([
    [1, 2],
    [1, 3],
  ]);
});

test('lines count as told when nobody reads them', async () => {
  const { subject, told, errors, done } = report(new BrokenPipe(0));
  subject.add({ line: 1, partition: 0, offset: 7 }, 10);
  await done;
  expect(told).toEqual([[1, 10]]);
  expect(errors).toEqual([]);
});

test('an output that fails is told of', async () => {
  class Full extends Captured {
    override _write(_chunk: Buffer, _encoding: string, done: (error?: Error) => void): void {
      done(new Error('no space'));
    }
  }
  const { subject, told, errors, done } = report(new Full());
  subject.add({ line: 1, partition: 0, offset: 7 }, 10);
  await done;
  expect(told).toEqual([[1, 10]]);
  expect(errors).toEqual([new Error('cannot write the output: no space')]);
});
