import { ByteReader, CorruptError } from '../../src/codec/reader.ts';
import type { Api } from '../../src/kafka/api.ts';
import { servedApis } from '../../src/kafka/api-table.ts';
import { FrameIntake } from '../../src/kafka/frame-intake.ts';
import { readClientId, readRequestHeader } from '../../src/kafka/request-header.ts';
import { includes } from '../../src/kafka/versions.ts';
import { codecOf, decoded, encoded } from '../support/kafka-messages.ts';
import { framed } from '../support/kafka-requests.ts';
import { kafkaCorpus } from './kafka-corpus.ts';
import type { Target } from './target.ts';

const corpus = kafkaCorpus();

const refuses = (thrown: unknown): boolean => thrown instanceof CorruptError;

/** A request of one API, in whatever version the bytes say; others are made one that is served. */
function run(api: Api, frame: Uint8Array): void {
  const reader = new ByteReader(frame);
  const { apiVersion } = readRequestHeader(reader);
  const { first, last } = api.versions;
  const version = includes(api.versions, apiVersion)
    ? apiVersion
    : first + (Math.abs(apiVersion) % (last - first + 1));
  readClientId(reader, includes(api.flexible, version));
  const body = frame.subarray(reader.position);
  const opened = api.open(body, version);
  opened.decode();
  const codec = codecOf(api, version, 'request');
  const [reading, skipping] = [new ByteReader(body), new ByteReader(body)];
  const message = codec.read(reading);
  const heapBytes = codec.skip(skipping);
  if (skipping.position !== reading.position) throw new Error('it is moved over another way');
  if (heapBytes !== opened.heapBytes) throw new Error('it says what it takes in two ways');
  // What was understood can be written, and is then the same.
  const written = encoded(codec, message);
  if (Buffer.compare(encoded(codec, decoded(codec, written)), written) !== 0) {
    throw new Error('what was understood is written in two ways');
  }
}

const requests: readonly Target[] = servedApis.map((api) => ({
  name: `Kafka ${api.name}`,
  weight: 3,
  corpus: corpus.get(api.key)!,
  run: (bytes) => run(api, bytes),
  refuses,
}));

/** Bytes of a connection, cut into frames: as many come out as are in it. */
const frames: Target = {
  name: 'Kafka frames',
  weight: 2,
  corpus: [...corpus.values()].map((some) =>
    Buffer.concat(some.slice(0, 3).map((frame) => framed(frame))),
  ),
  run: (bytes) => {
    const intake = new FrameIntake(1024 * 1024, { tryHold: () => true });
    let taken = 0;
    for (let at = 0; at < bytes.length; at += 100) {
      intake.push(bytes.subarray(at, at + 100));
      for (let next = intake.next(); typeof next === 'object'; next = intake.next()) {
        taken += 4 + next.bytes.length;
      }
    }
    if (taken > bytes.length) throw new Error(`${taken} bytes came of ${bytes.length}`);
  },
  refuses,
};

export const kafkaTargets: readonly Target[] = [...requests, frames];
