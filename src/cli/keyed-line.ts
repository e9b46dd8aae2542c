/** Key and value of a record that a line of text stands for. */
export interface KeyedLine {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array;
}

/** Splits a line before and after the first separator; `undefined` if there is none. */
export function splitKey(line: Uint8Array, separator: Uint8Array): KeyedLine | undefined {
  const at = Buffer.from(line.buffer, line.byteOffset, line.length).indexOf(separator);
  if (at < 0) return undefined;
  return { key: line.subarray(0, at), value: line.subarray(at + separator.length) };
}
