import { type Api, api } from '../api.ts';
import { array, int16, int32, int64, string } from '../fields.ts';
import { codeOf } from '../kafka-errors.ts';
import { mapPartitions } from '../map-partitions.ts';

const request = {
  topics: array('0+', {
    name: string('0+'),
    partitions: array('0+', { partitionIndex: int32('0+'), offset: int64('0+') }),
  }),
  timeoutMs: int32('0+'),
};

const response = {
  throttleTimeMs: int32('0+'),
  topics: array('0+', {
    name: string('0+'),
    partitions: array('0+', {
      partitionIndex: int32('0+'),
      lowWatermark: int64('0+'),
      errorCode: int16('0+'),
    }),
  }),
};

/** Deletes the first records of partitions, up to an offset; -1 stands for the high watermark. */
export const deleteRecords: Api = api(
  { key: 21, name: 'DeleteRecords', versions: '0-2', flexible: '2+', request, response },
  async ({ topics }, { broker }) => ({
    throttleTimeMs: 0,
    topics: await mapPartitions(topics, async (topic, { partitionIndex, offset }) => {
      const result = await broker.deleteRecords(topic, partitionIndex, offset);
      return { partitionIndex, lowWatermark: result.offset, errorCode: codeOf(result.row) };
    }),
  }),
);
