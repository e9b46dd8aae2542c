import type { ByteReader } from '../codec/reader.ts';
import type { FrameWriter } from './frame-writer.ts';
import { skipTags } from './message-codec.ts';

/** What stands before every request. */
export interface RequestHeader {
  readonly apiKey: number;
  readonly apiVersion: number;
  /** Repeated by the answer. */
  readonly correlationId: number;
}

/** The part that is the same in all versions of all requests. */
export function readRequestHeader(reader: ByteReader): RequestHeader {
  return { apiKey: reader.int16(), apiVersion: reader.int16(), correlationId: reader.int32() };
}

/** Some clients take their id from where it is not UTF-8; it is only shown. */
const anyText = new TextDecoder();

/**
 * What follows it: the client id, whose length is an int16 in flexible versions too (KIP-482), and
 * tagged fields, of which none is known.
 */
export function readClientId(reader: ByteReader, isFlexible: boolean): string {
  const length = reader.int16();
  const clientId = length === -1 ? '' : anyText.decode(reader.view(length));
  if (isFlexible) skipTags(reader);
  return clientId;
}

/** @param isFlexible whether an empty tagged section follows; never for ApiVersions (KIP-511) */
export function writeResponseHeader(
  writer: FrameWriter,
  correlationId: number,
  isFlexible: boolean,
): void {
  writer.fields.int32(correlationId);
  if (isFlexible) writer.fields.uvarint(0);
}
