import { expect, test } from 'vitest';
import { unregisterBroker } from '../../../src/controller/unregister-broker.ts';
import { nodeId } from '../../../src/model/ids.ts';
import { ClusterMetadata } from '../../support/cluster-metadata.ts';

test('only a broker that is fenced and holds nothing is forgotten', () => {
  const cluster = ClusterMetadata.formed();
  for (const id of [1, 2, 3]) cluster.register(id, 'i');
  cluster.topic('t', [1]);
  const forget = (id: number) => cluster.decide((image) => unregisterBroker(image, nodeId(id)));
  expect(() => forget(9)).toThrow('there is no broker 9');
  expect(() => forget(2)).toThrow('broker 2 is in service; stop it first');
  cluster.fence(1, 2);
  expect(() => forget(1)).toThrow(
    'broker 1 has partitions; delete their topics first, or start it again',
  );
  forget(2);
  expect([...cluster.image.brokers.keys()].toSorted()).toEqual([1, 3]);
  // Its id is free, for any directory.
  cluster.register(2, 'new', { directoryId: 'other' });
  expect(cluster.broker(2)).toMatchObject({ directoryId: 'other', state: 'unfenced' });
});
