import { expect } from 'vitest';
import { setting } from '../../../src/config/setting.ts';
import { Controller } from '../../../src/controller/controller.ts';
import type { NewTopic } from '../../../src/controller/create-topics.ts';
import type { Refusal } from '../../../src/controller/refusal.ts';
import { memoryEnv } from '../../../src/env/memory-env.ts';
import type { Env } from '../../../src/env/ports.ts';
import { type MetadataImage, topicByName } from '../../../src/metadata/image.ts';
import { nodeId } from '../../../src/model/ids.ts';
import { MetadataQuorum, NO_PEERS } from '../../../src/quorum/metadata-quorum.ts';
import { silentLogger } from '../../../src/telemetry/logger.ts';
import { registrationOf } from '../../support/broker-registration.ts';

const topicSettings = {
  retentionMs: setting.ms({ key: 'retention.ms', default: 1000, min: -1, doc: '' }),
  minInsyncReplicas: setting.int({ key: 'min.insync.replicas', default: 1, min: 1, doc: '' }),
};
const config = {
  defaultPartitions: 2,
  defaultReplicationFactor: 3,
  maxPartitionsPerTopic: 9000,
  sessionTimeoutMs: 9000,
};

/** A controller over a quorum in memory. With the same env again: after a restart. */
export async function started(brokers = 1, env: Env = memoryEnv()) {
  await env.files.makeDirectory('/data');
  const quorum = await MetadataQuorum.open(
    {
      dataDirectory: '/data',
      snapshotIntervalEntries: 7,
      onFatal: expect.unreachable,
    },
    env,
    silentLogger,
  );
  const identity = { clusterId: 'the-cluster', directoryId: 'the-directory' };
  const controller = new Controller(config, env.random, quorum, identity, topicSettings);
  const self = { id: nodeId(1), directoryId: identity.directoryId };
  if (!quorum.isBegun) await quorum.begin({ voters: [self], learners: [] });
  quorum.start(self, NO_PEERS, controller.replica);
  await quorum.read();
  for (let id = 1; id <= brokers; id++) await register(controller, id, `first ${id}`);
  return { env, quorum, controller };
}

export const register = (
  controller: Controller,
  id: number,
  incarnationId: string,
  directory = 'd',
) =>
  controller.registerBroker(
    registrationOf(id, incarnationId, { directoryId: `${directory}${id}` }),
  );

export const newTopic = (name: string, more: Partial<NewTopic> = {}): NewTopic => ({
  name,
  partitionCount: -1,
  replicationFactor: -1,
  configs: {},
  ...more,
});

/** Outcomes in a line each: `orders ok` or `orders NAME_OF_ERROR: detail`. */
export const told = (items: readonly { readonly name: string; readonly error?: Refusal }[]) =>
  items.map(({ name, error }) =>
    error === undefined ? `${name} ok` : `${name} ${error.row.name}: ${error.detail}`,
  );

/** Partitions of a topic: leader, leader epoch and replicas of each. */
export const partitionsOf = (image: MetadataImage, name: string) =>
  topicByName(image, name)?.partitions.map(
    ({ leader, leaderEpoch, replicas }) => `${leader}@${leaderEpoch} of ${replicas}`,
  );
