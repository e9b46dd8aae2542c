import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { crc32c } from '../../src/codec/crc32c.ts';
import { CorruptError } from '../../src/codec/reader.ts';
import { leaderEpoch, nodeId } from '../../src/model/ids.ts';
import { introduceMethod } from '../../src/quorum/introduce-codec.ts';
import { exchangeMethod, type PeerFrame } from '../../src/quorum/peer-frames.ts';
import type { Entry } from '../../src/raft/entry.ts';
import type { RaftMessage } from '../../src/raft/messages.ts';
import { loadProto } from '../../src/rpc/proto-codec.ts';

/** The codecs between nodes against protobufjs, on messages of every kind and on bytes of none. */
const root = loadProto('varve/internal/v1/raft.proto');
const typeOf = (name: string) => root.lookupType(`varve.internal.v1.${name}`);

const count = fc.oneof(fc.maxSafeInteger().map(Math.abs), fc.constantFrom(0, 1, 127, 2 ** 32));
const epoch = fc
  .oneof(fc.nat({ max: 2 ** 31 - 1 }), fc.constantFrom(0, 1, 2 ** 31 - 1))
  .map(leaderEpoch);
const bool = fc.boolean();
const bytes = fc.uint8Array({ maxLength: 300 });
const text = fc.string({ unit: 'binary', maxLength: 60 }).map((value) => value.toWellFormed());
const member = fc.record({ id: fc.nat({ max: 2 ** 31 - 1 }).map(nodeId), directoryId: text });
const members = fc.array(member, { maxLength: 4 });
const configuration = fc.record({ voters: members, learners: members });
const position = fc.record({ index: count, epoch });
const snapshot = fc.record({ last: position, configuration, configurationIndex: count });

type Body = { kind: 'empty' } | { kind: 'command'; bytes: Uint8Array };
const entries = fc.array(
  fc.tuple(
    epoch,
    fc.oneof(
      fc.constant<Body>({ kind: 'empty' }),
      bytes.map((value): Body => ({ kind: 'command', bytes: value })),
      configuration.map((value) => ({ kind: 'configuration' as const, configuration: value })),
    ),
  ),
  { maxLength: 6 },
);
const append = fc
  .record({
    epoch,
    prev: fc.record({ index: fc.nat(), epoch }),
    entries,
    commitIndex: count,
  })
  .map((parts): RaftMessage => {
    const { index } = parts.prev;
    const list = parts.entries.map(
      ([at, body], i) => ({ ...body, epoch: at, index: index + 1 + i }) as Entry,
    );
    return { kind: 'append', ...parts, entries: list };
  });

const of = <Kind extends RaftMessage['kind']>(kind: Kind, fields: object) =>
  fc.record(fields as never).map((value) => ({ kind, ...(value as object) }) as RaftMessage);

const messages: { readonly [Kind in RaftMessage['kind']]: fc.Arbitrary<RaftMessage> } = {
  vote: of('vote', { epoch, isPreVote: bool, isTransfer: bool, last: position }),
  'vote-answer': of('vote-answer', { epoch, isPreVote: bool, isGranted: bool }),
  append,
  'append-answer': of('append-answer', { epoch, matchIndex: count }),
  'append-refusal': of('append-refusal', { epoch, prevIndex: count, hint: position }),
  heartbeat: of('heartbeat', { epoch, commitIndex: count, round: count }),
  'heartbeat-answer': of('heartbeat-answer', { epoch, round: count }),
  'snapshot-chunk': of('snapshot-chunk', { epoch, snapshot, offset: count, bytes, isLast: bool }),
  'snapshot-answer': of('snapshot-answer', { epoch, snapshotIndex: count, nextOffset: count }),
  'timeout-now': of('timeout-now', { epoch }),
};

const hello = fc
  .record({
    protocolVersion: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
    clusterId: text,
    from: member,
    to: member,
    address: text,
  })
  .map((value): PeerFrame => ({ kind: 'hello', hello: value }));

const frame: fc.Arbitrary<PeerFrame> = fc.oneof(
  hello,
  fc.constant<PeerFrame>({ kind: 'ping' }),
  fc.oneof(...Object.values(messages)).map((message): PeerFrame => ({ kind: 'raft', message })),
);

const formed = fc.record({
  clusterId: text,
  initial: configuration,
  current: configuration,
  leader: fc.option(fc.record({ id: fc.nat({ max: 9 }).map(nodeId), address: text }), {
    nil: undefined,
  }),
});
const introduction = fc.record({
  self: member,
  clusterId: text,
  voters: fc.array(fc.record({ id: fc.nat({ max: 9 }).map(nodeId), address: text }), {
    maxLength: 3,
  }),
  address: text,
  seen: members,
  formed: fc.option(formed, { nil: undefined }),
});
const request = fc.record({ introduction, wantsToJoin: bool });

/** What protobufjs makes of bytes and writes again. */
function rewritten(name: string, encoded: Uint8Array): Uint8Array {
  const type = typeOf(name);
  return Uint8Array.from(type.encode(type.decode(encoded)).finish());
}

/** As `rewritten`, with the frame inside. */
function rewrittenFrame(encoded: Uint8Array): Uint8Array {
  const type = typeOf('ExchangeRequest');
  const envelope = type.decode(encoded) as unknown as { checksum: number; frame: Uint8Array };
  expect(envelope.checksum).toBe(crc32c(envelope.frame));
  const inner = rewritten('Frame', envelope.frame);
  return Uint8Array.from(
    type.encode(type.create({ checksum: crc32c(inner), frame: inner })).finish(),
  );
}

describe('frames between nodes', () => {
  for (const [kind, message] of Object.entries(messages)) {
    test(`a ${kind} is what was sent, also by way of protobufjs`, () => {
      fc.assert(
        fc.property(message, (sent) => {
          const content: PeerFrame = { kind: 'raft', message: sent };
          const encoded = exchangeMethod.request.encode(content);
          expect(exchangeMethod.request.decode(encoded)).toEqual(content);
          expect(exchangeMethod.request.decode(rewrittenFrame(encoded))).toEqual(content);
        }),
      );
    });
  }

  test('a hello is what was sent, also by way of protobufjs', () => {
    fc.assert(
      fc.property(hello, (sent) => {
        const encoded = exchangeMethod.request.encode(sent);
        expect(exchangeMethod.request.decode(encoded)).toEqual(sent);
        expect(exchangeMethod.request.decode(rewrittenFrame(encoded))).toEqual(sent);
      }),
    );
  });

  test('answers are what was sent, also by way of protobufjs', () => {
    const response = fc.record({
      refusal: fc.nat({ max: 9 }),
      detail: text,
      receivedBytes: count,
    });
    fc.assert(
      fc.property(response, (sent) => {
        const encoded = exchangeMethod.response.encode(sent);
        expect(exchangeMethod.response.decode(encoded)).toEqual(sent);
        const again = rewritten('ExchangeResponse', encoded);
        expect(exchangeMethod.response.decode(again)).toEqual(sent);
      }),
    );
  });

  test('introductions are what was sent, also by way of protobufjs', () => {
    fc.assert(
      fc.property(request, (sent) => {
        const encoded = introduceMethod.request.encode(sent);
        expect(introduceMethod.request.decode(encoded)).toEqual(sent);
        const again = rewritten('IntroduceRequest', encoded);
        expect(introduceMethod.request.decode(again)).toEqual(sent);
        const response = { introduction: sent.introduction, refusal: 'no' };
        const answer = introduceMethod.response.encode(response);
        expect(introduceMethod.response.decode(rewritten('IntroduceResponse', answer))).toEqual(
          response,
        );
      }),
    );
  });

  test('a byte that was changed is noticed, wherever it stands', () => {
    fc.assert(
      fc.property(frame, fc.nat(), fc.integer({ min: 1, max: 255 }), (sent, at, change) => {
        const encoded = exchangeMethod.request.encode(sent);
        encoded[at % encoded.length]! ^= change;
        let decoded: PeerFrame | undefined;
        try {
          decoded = exchangeMethod.request.decode(encoded);
        } catch (error) {
          expect(error).toBeInstanceOf(CorruptError);
        }
        // Only what says nothing can have changed, as the length of a varint.
        if (decoded !== undefined) expect(decoded).toEqual(sent);
      }),
      { numRuns: 2_000 },
    );
  });

  test('any bytes, also behind a right checksum, are a frame or refused as corrupt', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), frame, fc.nat(), (noise, sent, cut) => {
        const whole = exchangeMethod.request.encode(sent);
        const inside = typeOf('ExchangeRequest');
        const parts = [
          noise,
          whole.subarray(0, cut % whole.length),
          inside.encode(inside.create({ checksum: crc32c(noise), frame: noise })).finish(),
        ];
        for (const part of parts) {
          for (const codec of [
            exchangeMethod.request,
            exchangeMethod.response,
            introduceMethod.request,
            introduceMethod.response,
          ]) {
            try {
              codec.decode(part);
            } catch (error) {
              expect(error).toBeInstanceOf(CorruptError);
            }
          }
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
