import { expect, test } from 'vitest';
import { BrokerSessions } from '../../../src/controller/broker-sessions.ts';
import { nodeId } from '../../../src/model/ids.ts';
import { ClusterMetadata } from '../../support/cluster-metadata.ts';

const ONE = nodeId(1);
const TWO = nodeId(2);

test('a session ends when nothing was heard for the timeout, the oldest first', () => {
  const sessions = new BrokerSessions(100);
  expect(sessions.nextExpiryMs).toBeNull();
  sessions.heard(ONE, 1000);
  sessions.heard(TWO, 1010);
  sessions.heard(ONE, 1020);
  expect(sessions.nextExpiryMs).toBe(1110);
  expect(sessions.expired(1109)).toEqual([]);
  expect([sessions.isAlive(TWO, 1109), sessions.isAlive(TWO, 1110)]).toEqual([true, false]);
  expect(sessions.expired(1110)).toEqual([TWO]);
  expect(sessions.expired(1120)).toEqual([TWO, ONE]);
  sessions.end(TWO);
  expect(sessions.expired(1120)).toEqual([ONE]);
  sessions.heard(ONE, 1120);
  expect(sessions.expired(1121)).toEqual([]);
  expect(sessions.nextExpiryMs).toBe(1220);
});

test('a new active controller gives those in service a session, and forgets all others', () => {
  const cluster = ClusterMetadata.formed();
  cluster.register(1, 'i');
  cluster.register(2, 'i', { isFenced: true });
  const sessions = new BrokerSessions(100);
  sessions.heard(TWO, 0);
  sessions.heard(nodeId(9), 0);
  sessions.begin(cluster.image, 5000);
  expect(sessions.expired(5099)).toEqual([]);
  expect(sessions.expired(5100)).toEqual([ONE]);
  expect([sessions.isAlive(ONE, 5000), sessions.isAlive(TWO, 5000)]).toEqual([true, false]);
});
