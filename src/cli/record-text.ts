import { isUtf8 } from 'node:buffer';

/** A record as it was read. */
export interface ReadRecord {
  readonly offset: number;
  readonly timestampMs: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly {
    readonly key: string;
    readonly value: Uint8Array | null;
  }[];
}

/**
 * The fields of a record in JSON:
 *
 *     {"offset":7,"timestamp":1769860800000,"key":"k","value":"v","headers":[]}
 *
 * `timestamp` is in ms since 1970. Keys and values that are not UTF-8 stand as base64 in `keyBase64`
 * and `valueBase64` instead; `null` is none. Headers are `{"key":…,"value":…}`, likewise.
 */
export function recordFields(record: ReadRecord): Record<string, unknown> {
  return {
    offset: record.offset,
    timestamp: record.timestampMs,
    ...textField('key', record.key),
    ...textField('value', record.value),
    headers: record.headers.map(({ key, value }) => ({ key, ...textField('value', value) })),
  };
}

function textField(name: string, bytes: Uint8Array | null): Record<string, string | null> {
  if (bytes === null) return { [name]: null };
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (isUtf8(bytes)) return { [name]: buffer.toString('utf8') };
  return { [`${name}Base64`]: buffer.toString('base64') };
}
