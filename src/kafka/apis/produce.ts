import { failedProduce, type ProduceItem, type ProduceResult } from '../../broker/produce.ts';
import { type ErrorRow, Errors } from '../../model/errors.ts';
import { type Api, api } from '../api.ts';
import {
  array,
  int16,
  int32,
  int64,
  type MessageOf,
  records,
  string,
  taggedStruct,
} from '../fields.ts';
import { codeOf, textOf } from '../kafka-errors.ts';
import { leaderEndpoints, nodeEndpoints } from '../node-endpoints.ts';
import { onlyBatch } from '../only-batch.ts';
import type { RequestContext } from '../request-context.ts';

const request = {
  transactionalId: string('3+', { nullable: '3+', default: null }),
  acks: int16('0+'),
  timeoutMs: int32('0+'),
  topicData: array('0+', {
    name: string('0-12'),
    partitionData: array('0+', {
      index: int32('0+'),
      records: records('0+', { nullable: '0+' }),
    }),
  }),
};

const response = {
  responses: array('0+', {
    name: string('0-12'),
    partitionResponses: array('0+', {
      index: int32('0+'),
      errorCode: int16('0+'),
      baseOffset: int64('0+'),
      logAppendTimeMs: int64('2+', { default: -1 }),
      logStartOffset: int64('5+', { default: -1 }),
      recordErrors: array('8+', {
        batchIndex: int32('8+'),
        batchIndexErrorMessage: string('8+', { nullable: '8+', default: null }),
      }),
      errorMessage: string('8+', { nullable: '8+', default: null }),
      currentLeader: taggedStruct(
        '10+',
        { leaderId: int32('10+', { default: -1 }), leaderEpoch: int32('10+', { default: -1 }) },
        0,
      ),
    }),
  }),
  throttleTimeMs: int32('1+'),
  nodeEndpoints: nodeEndpoints('10+'),
};

type Request = MessageOf<typeof request>;
type Topic = MessageOf<typeof response>['responses'][number];
type PartitionAnswer = Topic['partitionResponses'][number];

const NO_ID = new Uint8Array(0);

/**
 * Appends batches, which stay the bytes that the client sent. Versions below 3 carry older formats of
 * records; they are said to be served because librdkafka before 2.11 compresses only then, and never sends them.
 */
export const produce: Api = api(
  {
    key: 0,
    name: 'Produce',
    versions: '3-11',
    advertised: '0-11',
    flexible: '9+',
    overlaps: true,
    request,
    response,
  },
  async (given, context) => {
    const refusal = refusalOf(given);
    const results = refusal === null ? await append(given, context) : null;
    let next = 0;
    const rows: ErrorRow[] = [];
    const responses = given.topicData.map(({ name, partitionData }) => ({
      name,
      partitionResponses: partitionData.map(({ index }) => {
        const result =
          results === null ? failedProduce(refusal!, refusal!.message) : results[next++]!;
        rows.push(result.row);
        return answerOf(index, result);
      }),
    }));
    if (given.acks === 0) {
      // Nothing is answered; only the end of its connection tells the client that something was not stored.
      if (rows.some((row) => row !== Errors.NONE)) context.close();
      return null;
    }
    return { responses, throttleTimeMs: 0, nodeEndpoints: leaderEndpoints(responses, context) };
  },
);

/** Why nothing of the request can be done. */
function refusalOf({ acks, transactionalId }: Request): ErrorRow | null {
  if (acks < -1 || acks > 1) return Errors.INVALID_REQUIRED_ACKS;
  // There are no transactions yet.
  return transactionalId === null ? null : Errors.INVALID_REQUEST;
}

async function append(given: Request, context: RequestContext): Promise<ProduceResult[]> {
  const items: ProduceItem[] = [];
  /** For each partition its item, or why it has none. */
  const places: (ErrorRow | null)[] = [];
  for (const { name, partitionData } of given.topicData) {
    for (const { index, records: pieces } of partitionData) {
      const batch = onlyBatch(pieces?.[0], context.version);
      if (!(batch instanceof Uint8Array)) {
        places.push(batch);
        continue;
      }
      places.push(null);
      items.push({ topic: name, partition: index, topicId: NO_ID, records: batch });
    }
  }
  const done = await context.broker.produce(items, {
    acks: given.acks === -1 ? 'all' : 'leader',
    timeoutMs: given.timeoutMs,
  });
  let next = 0;
  return places.map((refusal) =>
    refusal === null ? done[next++]! : failedProduce(refusal, refusal.message),
  );
}

function answerOf(index: number, result: ProduceResult): PartitionAnswer {
  const { row, leaderId, leaderEpoch } = result;
  return {
    index,
    errorCode: codeOf(row),
    baseOffset: result.baseOffset,
    logAppendTimeMs: result.logAppendTimeMs,
    logStartOffset: result.logStartOffset,
    recordErrors: [],
    errorMessage: textOf(row, result.detail),
    currentLeader:
      row === Errors.NOT_LEADER_OR_FOLLOWER && leaderId !== -1 ? { leaderId, leaderEpoch } : null,
  };
}
