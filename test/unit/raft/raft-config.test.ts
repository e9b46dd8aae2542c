import { expect, test } from 'vitest';
import { DEFAULT_RAFT_CONFIG, validateRaftConfig } from '../../../src/raft/raft-config.ts';

test('the settings of their own accord are in order', () => {
  expect(() => validateRaftConfig(DEFAULT_RAFT_CONFIG)).not.toThrow();
});

test.each([
  ['heartbeatTicks', 0],
  ['electionTicks', 3],
  ['messageBytesMax', 0],
  ['inFlightMessagesMax', 0.5],
  ['inFlightBytesMax', Number.NaN],
  ['uncommittedBytesMax', -1],
  ['entriesKept', -1],
])('%s is not %d', (name, value) => {
  expect(() => validateRaftConfig({ ...DEFAULT_RAFT_CONFIG, [name]: value })).toThrow(name);
});
