import { expect, test } from 'vitest';
import { entryBytes } from '../../../src/raft/entry.ts';
import { at, votersOf } from '../../support/driven-raft-node.ts';

test('an entry takes the bytes of its command, or of its members, and some for itself', () => {
  const empty = entryBytes({ kind: 'empty', ...at(1, 1) });
  const command = entryBytes({ kind: 'command', ...at(1, 1), bytes: new Uint8Array(100) });
  const configuration = (count: number) =>
    entryBytes({
      kind: 'configuration',
      ...at(1, 1),
      configuration: { voters: votersOf(count), learners: [] },
    });
  expect(empty).toBeGreaterThan(0);
  expect(command - empty).toBe(100);
  expect(configuration(5) - configuration(3)).toBe(configuration(3) - configuration(1));
});
