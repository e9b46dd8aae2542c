import { expect, test } from 'vitest';
import { recordFields } from '../../../src/cli/record-text.ts';

const record = { offset: 7, timestampMs: 1000, key: null, value: null, headers: [] };

test('UTF-8 is text, nothing is null', () => {
  const fields = recordFields({ ...record, value: Buffer.from('\ufeffzß水🍌\n"') });
  expect(JSON.stringify(fields)).toBe(
    '{"offset":7,"timestamp":1000,"key":null,"value":"\ufeffzß水🍌\\n\\"","headers":[]}',
  );
});

test('what is not UTF-8 is base64 under another name', () => {
  const bytes = Uint8Array.of(0xff, 0x00, 0xc3);
  const headers = [
    { key: 'h', value: bytes },
    { key: 'h', value: Buffer.from('text') },
    { key: 'n', value: null },
  ];
  expect(recordFields({ ...record, key: bytes, value: new Uint8Array(0), headers })).toEqual({
    offset: 7,
    timestamp: 1000,
    keyBase64: '/wDD',
    value: '',
    headers: [
      { key: 'h', valueBase64: '/wDD' },
      { key: 'h', value: 'text' },
      { key: 'n', value: null },
    ],
  });
});
