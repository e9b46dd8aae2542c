import type { Api } from './api.ts';
import { alterConfigs } from './apis/alter-configs.ts';
import { apiVersions } from './apis/api-versions.ts';
import { createPartitions } from './apis/create-partitions.ts';
import { createTopics } from './apis/create-topics.ts';
import { deleteRecords } from './apis/delete-records.ts';
import { deleteTopics } from './apis/delete-topics.ts';
import { describeCluster } from './apis/describe-cluster.ts';
import { describeConfigs } from './apis/describe-configs.ts';
import { describeLogDirs } from './apis/describe-log-dirs.ts';
import { describeProducers } from './apis/describe-producers.ts';
import { describeTopicPartitions } from './apis/describe-topic-partitions.ts';
import { fetch } from './apis/fetch.ts';
import { incrementalAlterConfigs } from './apis/incremental-alter-configs.ts';
import { initProducerId } from './apis/init-producer-id.ts';
import { listOffsets } from './apis/list-offsets.ts';
import { metadata } from './apis/metadata.ts';
import { offsetForLeaderEpoch } from './apis/offset-for-leader-epoch.ts';
import { produce } from './apis/produce.ts';

/** Every API that is served: the schema table. */
const others: readonly Api[] = [
  produce,
  fetch,
  listOffsets,
  metadata,
  createTopics,
  deleteTopics,
  createPartitions,
  deleteRecords,
  initProducerId,
  offsetForLeaderEpoch,
  describeConfigs,
  alterConfigs,
  incrementalAlterConfigs,
  describeLogDirs,
  describeProducers,
  describeCluster,
  describeTopicPartitions,
];

export const servedApis: readonly Api[] = [
  ...others,
  apiVersions(others.map(({ key, advertised }) => ({ key, versions: advertised }))),
].sort((a, b) => a.key - b.key);
