import { ByteReader } from '../../src/codec/reader.ts';
import type { Api } from '../../src/kafka/api.ts';
import { servedApis } from '../../src/kafka/api-table.ts';
import { includes } from '../../src/kafka/versions.ts';
import { codecOf, encoded, type Message } from './kafka-messages.ts';

/** A frame: its size before the bytes. */
export function framed(...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const size = Buffer.alloc(4);
  size.writeInt32BE(content.length);
  return Buffer.concat([size, content]);
}

/** The header of a request of the client "me". */
export function requestHeader(
  { key, flexible }: Pick<Api, 'key' | 'flexible'>,
  version: number,
  correlationId: number,
): Buffer {
  const header = Buffer.alloc(8);
  header.writeInt16BE(key, 0);
  header.writeInt16BE(version, 2);
  header.writeInt32BE(correlationId, 4);
  const clientId = Buffer.of(0, 2, 0x6d, 0x65);
  const tags = includes(flexible, version) ? Buffer.of(0) : Buffer.alloc(0);
  return Buffer.concat([header, clientId, tags]);
}

/** A request as its client sends it. */
export const requestFrame = (
  of: Api,
  version: number,
  correlationId: number,
  message: Message,
): Buffer =>
  framed(
    requestHeader(of, version, correlationId),
    encoded(codecOf(of, version, 'request'), message),
  );

export const apiNamed = (name: string): Api => {
  const found = servedApis.find((each) => each.name === name);
  if (found === undefined) throw new Error(`${name} is not served`);
  return found;
};

/** Reads the answer in a frame. */
export function answerOf(of: Api, version: number, frame: Uint8Array): Message {
  const isFlexible = of.hasFlexibleHeader && includes(of.flexible, version);
  const body = new Uint8Array(frame.subarray(isFlexible ? 9 : 8));
  return codecOf(of, version, 'response').read(new ByteReader(body));
}
