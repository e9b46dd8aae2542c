import protobuf from 'protobufjs';
import { expect, test } from 'vitest';
import { crc32c } from '../../../src/codec/crc32c.ts';
import { leaderEpoch, nodeId } from '../../../src/model/ids.ts';
import {
  exchangeMethod,
  MAX_CLUSTER_ID_BYTES,
  type PeerFrame,
} from '../../../src/quorum/peer-frames.ts';
import type { Entry } from '../../../src/raft/entry.ts';

// Round trips and damage are in test/property/peer-frames.test.ts.

const { request } = exchangeMethod;
const epoch = leaderEpoch(1);

/** An envelope with a right checksum. */
function enveloped(frame: Uint8Array): Uint8Array {
  const writer = protobuf.Writer.create();
  writer.uint32(1 << 3).uint32(crc32c(frame));
  return writer
    .uint32((2 << 3) | 2)
    .bytes(frame)
    .finish();
}

const helloOf = (clusterId: string, directoryId: string): PeerFrame => ({
  kind: 'hello',
  hello: {
    ...{ protocolVersion: 1, clusterId, address: '' },
    from: { id: nodeId(1), directoryId },
    to: { id: nodeId(2), directoryId: 'd' },
  },
});

test('a frame of a kind that is not known is passed over', () => {
  expect(request.decode(enveloped(Uint8Array.of((15 << 3) | 2, 0)))).toEqual({ kind: 'unknown' });
});

test('an empty frame, and one that holds two things, are refused', () => {
  expect(() => request.decode(new Uint8Array(0))).toThrow('a frame is empty');
  expect(() => request.decode(enveloped(Uint8Array.of((2 << 3) | 2, 0, (12 << 3) | 2, 0)))).toThrow(
    'a frame holds one thing',
  );
});

test('ids that are too long are refused', () => {
  const long = 'x'.repeat(256);
  expect(() => request.decode(request.encode(helloOf('c', long)))).toThrow(
    'a directory id has more than 255 bytes',
  );
  expect(() => request.decode(request.encode(helloOf(long, 'd')))).toThrow(
    `a cluster id has more than ${MAX_CLUSTER_ID_BYTES} bytes`,
  );
  const fits = helloOf('x'.repeat(255), 'y'.repeat(255));
  expect(request.decode(request.encode(fits))).toEqual(fits);
});

test('a MiB of the smallest entries that a leader sends is decoded, and not much more', () => {
  const of = (count: number): PeerFrame => {
    const entries = Array.from(
      { length: count },
      (_, i): Entry => ({ kind: 'command', index: i + 1, epoch, bytes: Uint8Array.of(7) }),
    );
    const prev = { index: 0, epoch: leaderEpoch(0) };
    return { kind: 'raft', message: { kind: 'append', epoch, prev, entries, commitIndex: 0 } };
  };
  // Each counts 25 bytes (`entryBytes`).
  const most = of(Math.ceil((1024 * 1024) / 25));
  expect(request.decode(request.encode(most))).toEqual(most);
  expect(() => request.decode(request.encode(of(90_000)))).toThrow('too many parts');
});

test('a negative node id or epoch is corrupt, no broken assertion', () => {
  const negative = protobuf.Writer.create()
    .uint32(1 << 3)
    .int32(-5)
    .finish();
  const vote = protobuf.Writer.create()
    .uint32((12 << 3) | 2)
    .bytes(negative)
    .finish();
  expect(() => request.decode(enveloped(vote))).toThrow('what was read is wrong');
});
