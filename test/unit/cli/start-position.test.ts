import { expect, test } from 'vitest';
import { parseStartPosition } from '../../../src/cli/start-position.ts';

test.each([
  ['earliest', 'earliest'],
  ['latest', 'latest'],
  ['0', { offset: 0 }],
  ['9007199254740991', { offset: Number.MAX_SAFE_INTEGER }],
  ['1769860800000ms', { timestampMs: 1_769_860_800_000 }],
  ['-5m', { agoMs: 300_000 }],
  ['-90s', { agoMs: 90_000 }],
  ['-7d', { agoMs: 604_800_000 }],
  ['2026-01-31T12:00:00Z', { timestampMs: 1_769_860_800_000 }],
  ['2026-01-31t12:00:00z', { timestampMs: 1_769_860_800_000 }],
  ['2026-01-31 13:00:00+01:00', { timestampMs: 1_769_860_800_000 }],
  ['2026-01-31T12:00:00.123456Z', { timestampMs: 1_769_860_800_123 }],
  ['2024-02-29T00:00:00Z', { timestampMs: 1_709_164_800_000 }],
  ['1970-01-01T00:00:00Z', { timestampMs: 0 }],
])('%s is a place to start', (text, position) => {
  expect(parseStartPosition(text)).toEqual(position);
});

test.each([
  '',
  'first',
  '-5',
  '-5 m',
  '5m',
  '-5y',
  '1.5',
  '9007199254740992',
  '9007199254740992ms',
  '2026-01-31',
  '2026-01-31T12:00:00',
  '2026-02-29T12:00:00Z',
  '2026-13-01T12:00:00Z',
  '2026-01-31T25:00:00Z',
  '2026-01-31T12:00:00+25:00',
  '1969-12-31T23:59:59Z',
])('%j is no place to start', (text) => {
  expect(parseStartPosition(text)).toBeUndefined();
});
