import { expect, test } from 'vitest';
import { Errors } from '../../../src/model/errors.ts';
import { brokerEpoch } from '../../../src/model/ids.ts';
import { ClusterMetadata } from '../../support/cluster-metadata.ts';

test('a broker comes into service when it knows of its registration', () => {
  const cluster = ClusterMetadata.formed();
  const epoch = cluster.register(1, 'i', { isFenced: true });
  const behind = { isFenced: true, isCaughtUp: false, shouldShutdown: false };
  expect(cluster.heartbeat(1, { currentPosition: epoch })).toEqual(behind);
  expect(cluster.broker(1)).toMatchObject({ state: 'fenced', servedEpoch: -1 });
  const there = { isFenced: false, isCaughtUp: true, shouldShutdown: false };
  expect(cluster.heartbeat(1, { currentPosition: epoch + 1 })).toEqual(there);
  expect(cluster.broker(1)).toMatchObject({ state: 'unfenced', servedEpoch: epoch });
  const { image } = cluster;
  expect(cluster.heartbeat(1)).toEqual(there);
  expect(cluster.image).toBe(image);
});

test('a broker that wants to be fenced leads nothing until it wants it no more', () => {
  const cluster = ClusterMetadata.formed();
  cluster.register(1, 'i');
  cluster.topic('t', [1]);
  expect(cluster.heartbeat(1, { wantsFence: true })).toMatchObject({ isFenced: true });
  expect(cluster.leaders).toEqual(['none@1']);
  expect(cluster.heartbeat(1, { wantsFence: true })).toMatchObject({ isFenced: true });
  expect(cluster.heartbeat(1)).toMatchObject({ isFenced: false });
  expect(cluster.leaders).toEqual(['1@2']);
});

test('a heartbeat of an incarnation that is not the newest changes nothing', () => {
  const cluster = ClusterMetadata.formed();
  const old = cluster.register(1, 'first', { isFenced: true });
  cluster.register(1, 'second', { isFenced: true });
  const { image } = cluster;
  for (const epoch of [old, brokerEpoch(99)]) {
    expect(() => cluster.heartbeat(1, { brokerEpoch: epoch })).toThrow(
      expect.objectContaining({ row: Errors.STALE_BROKER_EPOCH }),
    );
  }
  expect(() => cluster.heartbeat(1, { brokerEpoch: old })).toThrow(
    `broker 1 comes with broker epoch ${old}, it is ${old + 1}; it has to register anew`,
  );
  expect(cluster.image).toBe(image);
  const unknown = ClusterMetadata.formed();
  expect(() => unknown.heartbeat(1, { brokerEpoch: old })).toThrow('it is not registered');
});

test('a broker whose partitions nobody else can lead is fenced and stops at once', () => {
  const cluster = ClusterMetadata.formed();
  cluster.register(1, 'i');
  cluster.register(2, 'i');
  cluster.topic('t', [1], [2]);
  const stopped = { isFenced: true, isCaughtUp: true, shouldShutdown: true };
  expect(cluster.heartbeat(1, { wantsShutdown: true })).toEqual(stopped);
  expect(cluster.leaders).toEqual(['none@1', '2@0']);
  expect(cluster.heartbeat(1, { wantsShutdown: true })).toEqual(stopped);
});

test('a broker that hands over what it leads stops with the heartbeat after that', () => {
  const cluster = ClusterMetadata.formed();
  cluster.register(1, 'i');
  cluster.register(2, 'i');
  cluster.topic('t', [1, 2]);
  const leaving = { isFenced: false, shouldShutdown: false };
  expect(cluster.heartbeat(1, { wantsShutdown: true })).toMatchObject(leaving);
  expect(cluster.broker(1).state).toBe('shutting-down');
  expect(cluster.leaders).toEqual(['2@1']);
  // It is not given anything back, even if it were to change its mind.
  expect(cluster.heartbeat(1)).toMatchObject(leaving);
  const stopped = { isFenced: true, shouldShutdown: true };
  expect(cluster.heartbeat(1, { wantsShutdown: true })).toMatchObject(stopped);
  expect(cluster.leaders).toEqual(['2@1']);
});

test('at level 1 of the metadata nobody is fenced, and whoever wants to stop may', () => {
  const cluster = ClusterMetadata.ofLevel1();
  const features = [{ name: 'metadata.version', min: 1, max: 1 }];
  cluster.register(1, 'i', { features });
  cluster.topic('t', [1]);
  const { image } = cluster;
  const answer = { isFenced: false, isCaughtUp: true, shouldShutdown: false };
  expect(cluster.heartbeat(1, { wantsFence: true })).toEqual(answer);
  const stopped = { ...answer, shouldShutdown: true };
  expect(cluster.heartbeat(1, { wantsShutdown: true })).toEqual(stopped);
  expect(cluster.fence(1)).toEqual([]);
  expect(cluster.image).toBe(image);
});

test('a broker that was fenced is back only when it knows of that', () => {
  const cluster = ClusterMetadata.formed();
  cluster.register(1, 'i');
  const { position: before } = cluster.image;
  cluster.heartbeat(1, { wantsShutdown: true });
  // On its way since before it asked to stop.
  const late = { isFenced: true, isCaughtUp: false, shouldShutdown: false };
  expect(cluster.heartbeat(1, { currentPosition: before })).toEqual(late);
  expect(cluster.heartbeat(1, { currentPosition: before + 1 })).toMatchObject({ isFenced: false });
});
