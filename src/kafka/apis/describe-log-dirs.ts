import type { PartitionSize } from '../../broker/describe-logs.ts';
import { Errors } from '../../model/errors.ts';
import { type Api, api } from '../api.ts';
import { array, arrayOf, bool, int16, int32, int64, type MessageOf, string } from '../fields.ts';
import { codeOf } from '../kafka-errors.ts';
import { INT32 } from '../wire-types.ts';

const request = {
  topics: array(
    '0+',
    { topic: string('0+'), partitions: arrayOf('0+', INT32) },
    { nullable: '0+' },
  ),
};

const response = {
  throttleTimeMs: int32('0+'),
  errorCode: int16('3+'),
  results: array('0+', {
    errorCode: int16('0+'),
    logDir: string('0+'),
    topics: array('0+', {
      name: string('0+'),
      partitions: array('0+', {
        partitionIndex: int32('0+'),
        partitionSize: int64('0+'),
        offsetLag: int64('0+'),
        isFutureKey: bool('0+'),
      }),
    }),
    totalBytes: int64('4+', { default: -1 }),
    usableBytes: int64('4+', { default: -1 }),
  }),
};

type Topics = MessageOf<typeof request>['topics'];

/** Says how large the partitions on this broker are. The size of its disk is not told. */
export const describeLogDirs: Api = api(
  { key: 35, name: 'DescribeLogDirs', versions: '1-4', flexible: '2+', request, response },
  async ({ topics }, { broker }) => {
    const isWanted = wantedOf(topics);
    return {
      throttleTimeMs: 0,
      errorCode: Errors.NONE.code,
      results: broker.describeLogDirs().map(({ path, row, partitions }) => ({
        errorCode: codeOf(row),
        logDir: path,
        topics: byTopic(partitions.filter(isWanted)),
        totalBytes: -1,
        usableBytes: -1,
      })),
    };
  },
);

/** Null asks for all. */
function wantedOf(topics: Topics): (partition: PartitionSize) => boolean {
  if (topics === null) return () => true;
  const wanted = new Map<string, Set<number>>();
  for (const { topic, partitions } of topics) {
    const known = wanted.get(topic) ?? new Set();
    for (const partition of partitions) known.add(partition);
    wanted.set(topic, known);
  }
  return ({ topic, partition }) => wanted.get(topic)?.has(partition) ?? false;
}

function byTopic(partitions: readonly PartitionSize[]) {
  const sorted = Map.groupBy(partitions, ({ topic }) => topic);
  return [...sorted].map(([name, ofTopic]) => ({
    name,
    partitions: ofTopic.map(({ partition, sizeInBytes }) => ({
      partitionIndex: partition,
      partitionSize: sizeInBytes,
      offsetLag: 0,
      isFutureKey: false,
    })),
  }));
}
