import { expect, test } from 'vitest';
import { varve } from '../run-varve.ts';

test('every setting is in the table', async () => {
  const { code, stdout } = await varve(['config', 'docs']);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^\| setting \| type \| default \| what it does \|\n/);
  expect(stdout).toContain('| `grpc.listener` |');
  expect(stdout).toContain('| `log.segment.bytes` |');
});
