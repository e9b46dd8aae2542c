import { expect, test } from 'vitest';
import { nodeId } from '../../../src/model/ids.ts';
import { introduceMethod } from '../../../src/quorum/introduce-codec.ts';

// Round trips and damage are in test/property/peer-frames.test.ts.

test('a whole large cluster fits into an introduction', () => {
  const members = Array.from({ length: 1_000 }, (_, i) => ({
    id: nodeId(i),
    directoryId: 'KB-Wm4jttNGAR215Du7YVw',
  }));
  const configuration = { voters: members.slice(0, 5), learners: members.slice(5) };
  const introduction = {
    ...{ self: members[0]!, clusterId: 'c', voters: [], address: 'a:1', seen: members },
    formed: { clusterId: 'c', initial: configuration, current: configuration, leader: undefined },
  };
  const request = { introduction, wantsToJoin: true };
  const { encode, decode } = introduceMethod.request;
  expect(decode(encode(request))).toEqual(request);
});
