// Calls every method of the admin client of kafkajs once; a line of JSON tells what became of each.
// Run as: node kafkajs-methods.mjs SERVER FOLDER-WITH-PACKAGES
import { createRequire } from 'node:module';

const [, , server, packages] = process.argv;
const require = createRequire(packages);
const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ConfigResourceTypes } =
  require('kafkajs');
const { Kafka, logLevel, ResourcePatternTypes } = require('kafkajs');

const LIMIT_MS = 10_000;
const topic = 'kafkajs-methods';
const groupId = 'a-group';
const kafka = new Kafka({
  ...{ brokers: [server], logLevel: logLevel.NOTHING },
  retry: { retries: 2, initialRetryTime: 100, maxRetryTime: 300 },
});
const admin = kafka.admin();

const acl = {
  ...{ resourceType: AclResourceTypes.TOPIC, resourceName: topic },
  ...{ resourcePatternType: ResourcePatternTypes.LITERAL, principal: 'User:somebody', host: '*' },
  ...{ operation: AclOperationTypes.READ, permissionType: AclPermissionTypes.ALLOW },
};
const resource = { type: ConfigResourceTypes.TOPIC, name: topic };
const partitions = [{ partition: 0, offset: '0' }];

/** They ask no broker for anything. */
const local = new Set(['events', 'on', 'logger']);
const calls = {
  connect: () => admin.connect(),
  createTopics: () => admin.createTopics({ topics: [{ topic, numPartitions: 1 }] }),
  listTopics: () => admin.listTopics(),
  createPartitions: () => admin.createPartitions({ topicPartitions: [{ topic, count: 2 }] }),
  fetchTopicMetadata: () => admin.fetchTopicMetadata({ topics: [topic] }),
  describeCluster: () => admin.describeCluster(),
  fetchTopicOffsets: () => admin.fetchTopicOffsets(topic),
  fetchTopicOffsetsByTimestamp: () => admin.fetchTopicOffsetsByTimestamp(topic, 0),
  describeConfigs: () => admin.describeConfigs({ resources: [resource] }),
  alterConfigs: () =>
    admin.alterConfigs({
      resources: [{ ...resource, configEntries: [{ name: 'retention.ms', value: '1000000' }] }],
    }),
  deleteTopicRecords: async () => {
    const producer = kafka.producer();
    await producer.connect();
    await producer.send({ topic, messages: [{ partition: 0, value: 'a' }] });
    await producer.disconnect();
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '1' }] });
  },
  listPartitionReassignments: () => admin.listPartitionReassignments({}),
  alterPartitionReassignments: () =>
    admin.alterPartitionReassignments({
      topics: [{ topic, partitionAssignment: [{ partition: 0, replicas: [1] }] }],
    }),
  listGroups: () => admin.listGroups(),
  describeGroups: () => admin.describeGroups([groupId]),
  setOffsets: () => admin.setOffsets({ groupId, topic, partitions }),
  fetchOffsets: () => admin.fetchOffsets({ groupId, topics: [topic] }),
  resetOffsets: () => admin.resetOffsets({ groupId, topic }),
  deleteGroups: () => admin.deleteGroups([groupId]),
  createAcls: () => admin.createAcls({ acl: [acl] }),
  describeAcls: () => admin.describeAcls(acl),
  deleteAcls: () => admin.deleteAcls({ filters: [acl] }),
  deleteTopics: () => admin.deleteTopics({ topics: [topic] }),
  disconnect: () => admin.disconnect(),
};

const expected = Object.keys(admin).filter((name) => !local.has(name));
const missing = expected.filter((name) => calls[name] === undefined);
if (missing.length > 0) throw new Error(`not called: ${missing}`);
for (const [method, call] of Object.entries(calls))
  console.log(JSON.stringify(await tried(method, call)));
process.exit(0);

async function tried(method, call) {
  let timer;
  const late = new Promise((resolve) => {
    const line = { method, outcome: 'hangs', message: `no end within ${LIMIT_MS / 1_000} s` };
    timer = setTimeout(resolve, LIMIT_MS, line);
  });
  const done = Promise.resolve()
    .then(call)
    .then(
      () => ({ method, outcome: 'works' }),
      (error) => {
        const cause = error.cause ?? error;
        const inner = cause.errors?.[0] ?? cause;
        const name = inner.type ?? inner.name;
        return { method, outcome: 'fails', error: name, message: inner.message };
      },
    );
  const line = await Promise.race([done, late]);
  clearTimeout(timer);
  return line;
}
