import type { ErrorMessage } from './admin-messages.ts';
import {
  boolFieldSize,
  bytesTag,
  integerFieldSize,
  integerTag,
  messageFieldSize,
  type ProtobufReader,
  type ProtobufWriter,
  textFieldSize,
} from './protobuf.ts';

// `varve.v1.Error`, which stands in the answers of both streams.

const errorSize = (error: ErrorMessage): number =>
  integerFieldSize(error.code) +
  textFieldSize(error.name) +
  boolFieldSize(error.retriable) +
  textFieldSize(error.message);

export const errorFieldSize = (error: ErrorMessage | undefined): number =>
  error === undefined ? 0 : messageFieldSize(errorSize(error));

export function writeError(
  writer: ProtobufWriter,
  field: number,
  error: ErrorMessage | undefined,
): void {
  if (error === undefined) return;
  writer.startBytes(field, errorSize(error));
  writer.integerField(1, error.code);
  writer.textField(2, error.name);
  writer.boolField(3, error.retriable);
  writer.textField(4, error.message);
}

export function readError(reader: ProtobufReader): ErrorMessage {
  let code = 0;
  let name = '';
  let retriable = false;
  let message = '';
  const outer = reader.enter();
  while (reader.hasMore) {
    const tag = reader.tag();
    if (tag === integerTag(1)) code = reader.int32();
    else if (tag === bytesTag(2)) name = reader.text();
    else if (tag === integerTag(3)) retriable = reader.bool();
    else if (tag === bytesTag(4)) message = reader.text();
    else reader.skip(tag);
  }
  reader.leave(outer);
  return { code, name, retriable, message };
}
