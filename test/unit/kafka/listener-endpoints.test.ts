import { expect, test } from 'vitest';
import { endpointsOf } from '../../../src/kafka/listener-endpoints.ts';
import { ClusterMetadata } from '../../support/cluster-metadata.ts';

const listener = (name: string, host: string) => ({
  ...{ name, host, port: 9092 },
  securityProtocol: 'PLAINTEXT',
});

test('clients are sent to listeners of the name of theirs, and to brokers in service only', () => {
  const cluster = ClusterMetadata.formed();
  const inside = (id: number) => listener('IN', `in-${id}`);
  const outside = (id: number) => listener('OUT', `out-${id}`);
  cluster.register(3, 'i', { listeners: [outside(3), inside(3)], rack: 'r' });
  cluster.register(1, 'i', { listeners: [inside(1), outside(1)] });
  cluster.register(2, 'i', { listeners: [inside(2)] });
  const hosts = (name: string) => endpointsOf(cluster.image, name).map(({ host }) => host);
  expect(hosts('IN')).toEqual(['in-1', 'in-2', 'in-3']);
  expect(hosts('OUT')).toEqual(['out-1', 'out-3']);
  expect(hosts('NONE')).toEqual([]);
  expect(endpointsOf(cluster.image, 'OUT')[1]).toEqual({
    ...{ nodeId: 3, host: 'out-3', port: 9092, rack: 'r' },
  });
  cluster.fence(1);
  expect(hosts('IN')).toEqual(['in-2', 'in-3']);
  cluster.heartbeat(1);
  expect(hosts('IN')).toEqual(['in-1', 'in-2', 'in-3']);
});
