import { ByteWriter } from '../../src/codec/writer.ts';

/** Requests of the Kafka protocol, in the last versions without tagged fields, as whole frames. */
interface Request {
  readonly apiKey: number;
  readonly version: number;
  readonly body: (writer: ByteWriter) => void;
}

export const apiVersions: Request = { apiKey: 18, version: 0, body() {} };

export const metadata = (topic: string): Request => ({
  apiKey: 3,
  version: 8,
  body(writer) {
    writer.int32(1);
    string(writer, topic);
    // No topics are made, and nobody asks who may do what.
    for (let flag = 0; flag < 3; flag++) writer.int8(0);
  },
});

/** A topic with one partition and the broker's defaults. */
export const createTopic = (topic: string): Request => ({
  apiKey: 19,
  version: 4,
  body(writer) {
    writer.int32(1);
    string(writer, topic);
    writer.int32(1);
    writer.int16(1);
    // Neither assignments nor settings.
    writer.int32(0);
    writer.int32(0);
    writer.int32(TIMEOUT_MS);
    writer.int8(0);
  },
});

/** One batch to partition 0, acks=all. */
export const produce = (topic: string, batch: Uint8Array): Request => ({
  apiKey: 0,
  version: 8,
  body(writer) {
    writer.int16(-1);
    writer.int16(-1);
    writer.int32(TIMEOUT_MS);
    writer.int32(1);
    string(writer, topic);
    writer.int32(1);
    writer.int32(0);
    writer.int32(batch.length);
    writer.bytes(batch);
  },
});

/** Where the error code of a partition stands in the answer to `produce`, behind the correlation id. */
export const produceErrorAt = (topic: string): number => 4 + 2 + Buffer.byteLength(topic) + 4 + 4;

export function frameOf({ apiKey, version, body }: Request, correlationId: number): Uint8Array {
  const writer = new ByteWriter();
  writer.int32(0);
  writer.int16(apiKey);
  writer.int16(version);
  writer.int32(correlationId);
  string(writer, 'bench');
  body(writer);
  writer.setInt32(0, writer.length - 4);
  return writer.toBytes();
}

function string(writer: ByteWriter, text: string): void {
  const bytes = new TextEncoder().encode(text);
  writer.int16(bytes.length);
  writer.bytes(bytes);
}

const TIMEOUT_MS = 30_000;
