import { expect, test } from 'vitest';
import { ConnectionWorld } from '../connection-world.ts';

test('the brokers are told as this listener’s clients reach them; controllers are not', async () => {
  const world = await ConnectionWorld.open();
  for (const version of [0, 1]) {
    const request = { includeClusterAuthorizedOperations: false, endpointType: 1 };
    expect(await world.ask('DescribeCluster', version, request)).toMatchObject({
      errorCode: 0,
      errorMessage: null,
      clusterId: world.world.broker.clusterId,
      controllerId: 1,
      brokers: [{ brokerId: 1, host: 'broker.example', port: 9092, rack: null }],
    });
  }
  for (const [endpointType, errorCode] of [
    [2, 114],
    [3, 115],
  ]) {
    const request = { includeClusterAuthorizedOperations: false, endpointType };
    expect(await world.ask('DescribeCluster', 1, request)).toMatchObject({ errorCode });
  }
});
